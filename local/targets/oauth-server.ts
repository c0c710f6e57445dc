import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Question, Told } from './oauth-provider';

const root = path.resolve(__dirname, '../..');
/** A cold start compiles and loads the provider, which takes a second, and longer where all processors are at work. */
const patienceMs = 120_000;

/** A running OAuth server. */
export interface OauthServer {
  readonly issuer: string;
  /** A token with which clients may be registered. */
  initialAccessToken(): Promise<string>;
  /** Names of the clients that are registered. */
  clients(): Promise<readonly string[]>;
  /** Method, path, status, user agent and client of every request. */
  log(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Starts `oidc-provider` in a process of its own, which ends with this one. */
export async function startOauthServer(): Promise<OauthServer> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', path.join(__dirname, 'oauth-provider.ts')],
    // A session of its own: Ctrl-C in the terminal is for the rehearsal, which ends the server in its own time.
    {
      cwd: root,
      // Nothing else of the caller's environment, which may hold credentials.
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true,
    },
  );
  let complaint = '';
  child.stderr?.on('data', (part: Buffer) => {
    complaint = `${complaint}${part.toString()}`.slice(-4000);
  });
  const waiting = new Map<number, (answer: string | readonly string[]) => void>();
  let questions = 0;
  const issuer = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the OAuth server did not start: ${complaint}`));
    }, patienceMs);
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new Error(`the OAuth server ended: ${complaint}`));
    });
    child.on('message', (told: Told) => {
      if ('number' in told) {
        waiting.get(told.number)?.(told.answer);
        waiting.delete(told.number);
        return;
      }
      clearTimeout(timer);
      resolve(told.issuer);
    });
  });
  const ask = (question: Question) =>
    new Promise<string | readonly string[]>((resolve) => {
      questions += 1;
      waiting.set(questions, resolve);
      child.send({ number: questions, question });
    });
  const listOf = async (question: Question) => [await ask(question)].flat();
  let stopped: Promise<unknown> | undefined;
  return {
    issuer,
    initialAccessToken: async () => String(await ask('initial access token')),
    clients: () => listOf('clients'),
    log: () => listOf('log'),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      stopped ??= once(child, 'exit');
      child.kill('SIGKILL');
      await stopped;
    },
  };
}
