import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { HttpsAdapter } from '../../adapters/https/adapter';
import { httpsDefinition } from '../../adapters/https/definition';
import { type Clock, systemClock } from '../../client/clock';
import { receiver } from '../../examples/https-endpoint/receiver';
import { selfSigned } from '../../local/targets/certificate';
import { FakeSecretsManager } from '../client/fake-secrets-manager';
import type { Counterpart } from './contract';

/** What a scripted endpoint answers to a request, in place of what it would. */
export interface ScriptedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request as it arrived. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Complete when the request has been read. */
  body: string;
}

/** The example's receiver over HTTPS on this machine, and an application that loads when time passes. */
export interface HttpsCounterpart extends Counterpart {
  open(clock?: Clock): HttpsAdapter;
  readonly origin: string;
  readonly certificate: string;
  readonly arrived: readonly Arrived[];
  /** Where the adapter reads its keys; the endpoint knows those of `keys`. */
  readonly signingSecret: FakeSecretsManager;
  readonly keys: string[];
  /** Answers for the next requests, in order. */
  readonly script: (ScriptedAnswer | 'silence' | 'lost')[];
  /** Whatever the application is to load, it runs on this version afterwards. */
  loadInstead(versionId: string): void;
  /** The receiver forgets what it has begun; the application goes on. */
  restart(): void;
  /** Resolves when the next request has arrived. */
  arrival(): Promise<void>;
}

/** Starts it; `settings` replaces members. */
export async function openHttpsCounterpart(
  settings: Readonly<Record<string, unknown>> = {},
): Promise<HttpsCounterpart> {
  const signingSecret = new FakeSecretsManager(systemClock);
  const key = newKey();
  signingSecret.put('k1', { value: key }, 'AWSCURRENT');
  const keys = [key];
  let running = 'v0';
  let acts = 0;
  let isBroken = false;
  let instead: string | undefined;
  let waiting: (() => void)[] = [];
  const newReceiver = () =>
    receiver({
      keys: () => Promise.resolve(keys),
      application: {
        runningVersion: () => running,
        load: async (versionId) => {
          acts += 1;
          await new Promise<void>((resolve) => waiting.push(resolve));
          if (isBroken) throw new Error(`the pool takes no login, and ${key} should not be said`);
          running = instead ?? versionId;
        },
      },
    });
  let listener = newReceiver();
  const arrived: Arrived[] = [];
  const script: HttpsCounterpart['script'] = [];
  const { certificate, key: tlsKey } = selfSigned(['localhost'], ['127.0.0.1']);
  const server = createServer(
    { cert: certificate, key: tlsKey },
    scripted((request, response) => listener(request, response), script, arrived),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the endpoint got no port');
  const origin = `https://127.0.0.1:${String(address.port)}`;
  const parsed = httpsDefinition.settings.parse({
    url: `${origin}/rotor?team=orders`,
    signingSecretArn: signingSecret.arn,
    privateAddresses: true,
    ca: certificate,
    ...settings,
  });
  return {
    origin,
    certificate,
    arrived,
    signingSecret,
    keys,
    script,
    secrets: [key],
    open: (clock = systemClock) => new HttpsAdapter(parsed, { secretsManager: signingSecret, clock }),
    acts: () => acts,
    pass: async () => {
      for (const resolve of waiting) resolve();
      waiting = [];
      // What the application does next, and the receiver after it.
      await new Promise((resolve) => setImmediate(resolve));
    },
    breakDown: () => {
      isBroken = true;
    },
    loadInstead: (versionId) => {
      instead = versionId;
    },
    restart: () => {
      listener = newReceiver();
    },
    arrival: async () => {
      await once(server, 'request');
    },
    loseAnswer: () => void script.push('lost'),
    stop: async () => {
      for (const resolve of waiting) resolve();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A key as Rotor's rotator draws it. */
export function newKey(): string {
  return randomBytes(32).toString('base64url');
}

function scripted(
  listener: RequestListener,
  script: HttpsCounterpart['script'],
  arrived: Arrived[],
): RequestListener {
  return (request, response) => {
    const { method = '', url: path = '', headers } = request;
    const line: Arrived = { method, path, headers, body: '' };
    arrived.push(line);
    const next = script.shift();
    if (next === 'silence') return;
    if (next === undefined) {
      listener(request, response);
      return;
    }
    if (next === 'lost') {
      // Done, and the answer does not arrive.
      response.writeHead = () => response;
      response.end = () => {
        request.socket.destroy();
        return response;
      };
      listener(request, response);
      return;
    }
    request.on('data', (part: Buffer) => (line.body += part.toString()));
    request.on('end', () => {
      response.writeHead(next.status, next.headers);
      response.end(next.body);
    });
  };
}
