import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerIdentity } from './scratch';

/** The environment of the server's programs: nothing of the caller's, which may hold credentials. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** A start takes a second, and many where all processors are at work; only one that hangs is given up. */
const startPatienceMs = 120_000;

/** Waits until a server that was just started takes connections; false where it ends before, or does not in two minutes. */
export async function comesUp(server: ChildProcess, isReady: () => Promise<boolean>): Promise<boolean> {
  const patience = Date.now() + startPatienceMs;
  // A program that cannot be started has no pid, and would end this process by an error that nobody hears.
  server.on('error', () => undefined);
  while (
    Date.now() < patience &&
    server.pid !== undefined &&
    server.exitCode === null &&
    server.signalCode === null
  ) {
    if (await isReady()) return true;
    await delay(10);
  }
  return false;
}

/** Starts a shell that waits for the end of its input, which comes with the end of this process, and ends the server then. */
export async function watchOver(
  server: ChildProcess,
  identity: ServerIdentity | undefined,
  home: string,
): Promise<ChildProcess> {
  const script = 'read -r word || { kill -QUIT "$1"; sleep 1; rm -rf -- "$2"; }';
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(server.pid), home], {
    ...identity,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  await once(watcher, 'spawn');
  watcher.unref();
  server.unref();
  // The pipe alone must not keep this process alive.
  if (watcher.stdin instanceof net.Socket) watcher.stdin.unref();
  return watcher;
}

/** Ends a server and waits until it is gone; already gone is success. */
export async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  server.ref();
  const exited = once(server, 'exit');
  server.kill(signal);
  const forced = setTimeout(() => server.kill('SIGQUIT'), 5_000);
  await exited;
  clearTimeout(forced);
}

/** For so long a connection that has ended may keep its port, and some more. */
const portPatienceMs = 90_000;

/** Starts a server again at its port, which somebody's connection to elsewhere may have taken for a moment. */
export async function onceFree<Started>(start: () => Promise<Started>): Promise<Started> {
  const patience = Date.now() + portPatienceMs;
  for (;;)
    try {
      return await start();
    } catch (error) {
      if (!/address already in use/i.test(String(error)) || Date.now() > patience) throw error;
      await delay(100);
    }
}

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}
