import { once } from 'node:events';
import net from 'node:net';

/** A way to a server on which nothing arrives before the gate is opened. */
export interface Gate {
  readonly port: number;
  open(): void;
  close(): void;
}

/** Puts a gate before a server of this machine. */
export async function gateBefore(server: { readonly host: string; readonly port: number }): Promise<Gate> {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const listener = net.createServer((near) => {
    void opened.then(() => {
      const far = net.connect(server.port, server.host);
      far.pipe(near).pipe(far);
      for (const end of [near, far]) end.on('error', () => undefined);
    });
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the gate has no port');
  return { port: address.port, open, close: () => void listener.close() };
}
