import net from 'node:net';
import { once } from 'node:events';

/** When a line goes down: before the server gets the message, or after it has answered it and nobody hears that. */
export type Moment = 'before' | 'after';

/** A line to a server that is cut at the nth message of the client. */
export async function cutLine(serverPort: number, nth: number, moment: Moment) {
  let seen = 0;
  let cut = false;
  const sockets = new Set<net.Socket>();
  const line = net.createServer((client) => {
    const server = net.connect(serverPort, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    const hangUp = () => {
      client.destroy();
      server.destroy();
    };
    client.on('data', (message: Buffer) => {
      seen += 1;
      if (seen < nth) {
        server.write(message);
        return;
      }
      cut = true;
      if (moment === 'before') hangUp();
      else server.write(message, () => server.once('data', hangUp).once('close', hangUp));
    });
    server.on('data', (message: Buffer) => {
      if (!cut) client.write(message);
    });
    client.on('close', () => server.end());
    server.on('close', () => client.destroy());
  });
  line.listen(0, '127.0.0.1');
  await once(line, 'listening');
  return {
    port: (line.address() as net.AddressInfo).port,
    wasCut: () => cut,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      line.close();
      await once(line, 'close');
    },
  };
}
