// Listens for the hosts of a test and has an sshd answer each connection, as inetd would. In a process of its own because
// of its size: to start a program, a process is copied first, and one that holds a whole cloud is slow to copy.
//
//   node sshd-door.mjs <sshd> <folder>    asked over the channel of child_process.fork
//
// { id, listen: { port, config } } answers { id, port }; port 0 is any that is free. { id, deafen: port } answers { id }. Where
// it cannot: { id, error }. When the channel closes, because the one that asks says so or is gone, connections end, the folder
// goes, and so does this process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const [program, folder] = process.argv.slice(2);
const listeners = new Map();
const connections = new Set();
let count = 0;

function welcome(socket, config) {
  const log = path.join(folder, `connection-${String(count++).padStart(6, '0')}.log`);
  // At once, so that the logs stand in the order of the connections, whichever sshd comes to write first.
  writeFileSync(log, '');
  const sshd = spawn(program, ['-i', '-E', log, '-f', config], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    stdio: [socket, socket, 'ignore'],
  });
  connections.add(sshd);
  sshd.on('error', () => undefined);
  sshd.once('close', () => connections.delete(sshd));
  // The descriptor is sshd's now; this process keeps none.
  socket.destroy();
}

async function listen({ port, config }) {
  const listener = net.createServer({ pauseOnConnect: true }, (socket) => welcome(socket, config));
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  const taken = listener.address().port;
  listeners.set(taken, listener);
  return { port: taken };
}

async function deafen(port) {
  const listener = listeners.get(port);
  listeners.delete(port);
  listener.close();
  await once(listener, 'close');
}

async function stop() {
  for (const listener of listeners.values()) listener.close();
  await Promise.all(
    [...connections].map(async (sshd) => {
      const closed = once(sshd, 'close');
      sshd.kill('SIGTERM');
      await closed;
    }),
  );
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

process.on('message', (message) => {
  const done = message.listen === undefined ? deafen(message.deafen) : listen(message.listen);
  done.then(
    (answer) => process.send({ id: message.id, ...answer }),
    (error) => process.send({ id: message.id, error: error.message }),
  );
});
process.on('disconnect', () => {
  stop().finally(() => process.exit());
});
