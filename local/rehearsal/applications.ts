import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import {
  listenOnQueue,
  proveLogin,
  RefreshResponder,
  rotatingPool,
  RotatingSecret,
  type SecretMembers,
} from '../../client';
import type { SessionKeys } from '../lambda/ports';
import type { ApplicationName } from './options';

/** How long an application rests between two queries, so that three of them leave the processors some air. */
const restMs = 5;

/** What an application did while the rotation went on. */
export interface Application {
  readonly name: ApplicationName;
  /** Completed queries, and failed ones. */
  counts(): { readonly queries: number; readonly errors: number };
  /** Ends it, and resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** What every application needs to know about the cloud. */
export interface ApplicationPlace {
  readonly endpoint: string;
  readonly region: string;
  readonly secretId: string;
}

/** How a service behaves towards Rotor; queries it makes all the same. */
export interface Behaviour {
  /** Works on a request for so long before it answers, in milliseconds. */
  readonly slowMs: number;
  readonly refuses: boolean;
  readonly silent: boolean;
}

/**
 * A service with a role of its own: writes and counts orders without pause through the client's pool, and hears of
 * rotations from its queue.
 */
export async function startService(
  name: ApplicationName,
  place: ApplicationPlace,
  keys: SessionKeys,
  queueUrl: string,
  behaviour: Behaviour,
): Promise<Application> {
  const config = { endpoint: place.endpoint, region: place.region, credentials: keys };
  const clients = [
    new SecretsManagerClient(config),
    new EventBridgeClient(config),
    new SQSClient(config),
  ] as const;
  const [secretsManager, eventBridge, sqs] = clients;
  const known: { first?: SecretMembers } = {};
  const proveWith = proveLogin(pg);
  const secret = RotatingSecret.json({
    secretId: place.secretId,
    maxAgeSeconds: 5,
    secretsManager: {
      getSecretValue: (input, options) => secretsManager.send(new GetSecretValueCommand(input), options),
    },
    prove: async (value, signal) => {
      const isNew = known.first !== undefined && value['password'] !== known.first['password'];
      if (isNew && behaviour.slowMs > 0) await pause(behaviour.slowMs, undefined, { signal });
      if (isNew && behaviour.refuses)
        throw new Error('rehearsed refusal: this application cannot work with the new version');
      await proveWith(value, signal);
    },
  });
  known.first = (await secret.get()).value;
  const pool = await rotatingPool(pg, secret, { max: 2, application_name: name });
  pool.on('error', () => undefined);
  const listener = behaviour.silent
    ? undefined
    : listenOnQueue({
        queueUrl,
        responder: new RefreshResponder({
          consumer: name,
          secret,
          instances: 'one',
          eventBridge: {
            putEvents: (input, options) => eventBridge.send(new PutEventsCommand(input), options),
          },
        }),
        sqs: {
          receiveMessage: (input, options) => sqs.send(new ReceiveMessageCommand(input), options),
          deleteMessage: (input) => sqs.send(new DeleteMessageCommand(input)),
          changeMessageVisibility: (input) => sqs.send(new ChangeMessageVisibilityCommand(input)),
        },
      });
  const work = repeat(async () => {
    await pool.query(`insert into orders (item) values ($1)`, [name]);
    await pool.query('select count(*) from orders');
  });
  return {
    name,
    counts: work.counts,
    stop: async () => {
      await work.stop();
      await listener?.stop();
      await pool.end();
      for (const client of clients) client.destroy();
    },
  };
}

/** A function that is invoked without pause; it hears of rotations by being invoked too, through its rule. */
export function startFunction(
  name: ApplicationName,
  invoke: () => Promise<{ readonly failed: boolean }>,
): Application {
  const work = repeat(async () => {
    const { failed } = await invoke();
    if (failed) throw new Error('the function answered with an error');
  });
  return { name, counts: work.counts, stop: work.stop };
}

/** Does one thing over and over, and counts how often it went well and how often not. */
export function repeat(act: () => Promise<void>, pauseMs = restMs) {
  let queries = 0;
  let errors = 0;
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await act();
        queries += 1;
      } catch {
        errors += 1;
      }
      await pause(pauseMs);
    }
  })();
  return {
    counts: () => ({ queries, errors }),
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}
