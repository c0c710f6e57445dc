import { setTimeout as pause } from 'node:timers/promises';
import { listenOnQueue, RefreshResponder, RotatingSecret } from '../../client';
import type { SessionKeys } from '../lambda/ports';
import type { ApplicationSession, RehearsalTarget } from '../targets/target';
import { clientPorts } from './client-ports';
import type { ApplicationName } from './options';

/** What an application did while the rotation went on. */
export interface Application {
  readonly name: ApplicationName;
  /** Completed queries, and failed ones. */
  counts(): { readonly queries: number; readonly errors: number };
  /** What the failed ones were, by name and code; messages may hold anything. */
  failures(): readonly string[];
  /** Resolves when the query that is under way now has ended, well or not; at once in between. */
  underWay(): Promise<void>;
  /** Ends it, and resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** What every application needs to know about the cloud. */
export interface ApplicationPlace {
  readonly endpoint: string;
  readonly region: string;
  readonly secretId: string;
  readonly target: RehearsalTarget;
}

/** How a service behaves towards Rotor; queries it makes all the same. */
export interface Behaviour {
  /** Rests so long between two queries, in milliseconds. */
  readonly restMs: number;
  /** Works on a request for so long before it answers, in milliseconds. */
  readonly slowMs: number;
  readonly refuses: boolean;
  readonly silent: boolean;
}

/**
 * A look takes milliseconds, and seconds where the machine stands still: one that takes longer than a value may be old is
 * worth nothing, and one that has no answer at all is given up.
 */
const looking = { maxAgeSeconds: 30, readTimeoutSeconds: 120 };

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
  const ports = clientPorts({ endpoint: place.endpoint, region: place.region, credentials: keys });
  const { target } = place;
  const known: { first?: string } = {};
  const secret = RotatingSecret.json({
    secretId: place.secretId,
    ...looking,
    secretsManager: ports.secretsManager,
    prove: async (value, signal) => {
      const isNew = known.first !== undefined && JSON.stringify(value) !== known.first;
      if (isNew && behaviour.slowMs > 0) await pause(behaviour.slowMs, undefined, { signal });
      if (isNew && behaviour.refuses)
        throw new Error('rehearsed refusal: this application cannot work with the new version');
      await (await target.login(JSON.stringify(value), name)).close();
    },
  });
  known.first = JSON.stringify((await secret.get()).value);
  const session = await (target.serve?.(secret, name) ?? new FollowingSession(target, secret, name));
  const listener = behaviour.silent
    ? undefined
    : listenOnQueue({
        queueUrl,
        responder: new RefreshResponder({
          consumer: name,
          secret,
          instances: 'one',
          eventBridge: ports.eventBridge,
        }),
        sqs: ports.sqs,
      });
  const work = repeat(() => session.work(), behaviour.restMs);
  return {
    name,
    counts: work.counts,
    failures: work.failures,
    underWay: work.underWay,
    stop: async () => {
      await work.stop();
      await listener?.stop();
      await session.close();
      ports.destroy();
    },
  };
}

/** What a pool of one does: a session that is opened anew when the secret has another version. */
class FollowingSession implements ApplicationSession {
  private open: { readonly versionId: string; readonly session: ApplicationSession } | undefined;

  constructor(
    private readonly target: RehearsalTarget,
    private readonly secret: RotatingSecret,
    private readonly application: string,
  ) {}

  async work(): Promise<void> {
    await (await this.current()).work();
  }

  async close(): Promise<void> {
    await this.open?.session.close();
  }

  private async current(): Promise<ApplicationSession> {
    const { versionId } = await this.secret.get();
    if (this.open?.versionId === versionId) return this.open.session;
    const before = this.open;
    const opened = await this.secret.withCredential(
      async (version) => ({
        versionId: version.versionId,
        session: await this.target.login(JSON.stringify(version.value), this.application),
      }),
      (error) => this.target.isRefusedLogin(error),
    );
    this.open = opened;
    await before?.session.close();
    return opened.session;
  }
}

/** A function that is invoked without pause; it hears of rotations by being invoked too, through its rule. */
export function startFunction(
  name: ApplicationName,
  invoke: () => Promise<void>,
  restMs: number,
): Application {
  return { name, ...repeat(invoke, restMs) };
}

/** Does one thing over and over, and counts how often it went well and how often not. */
export function repeat(act: () => Promise<void>, pauseMs: number) {
  let queries = 0;
  const failures: string[] = [];
  const stopping = new AbortController();
  const once = async () => {
    try {
      await act();
      queries += 1;
    } catch (error) {
      failures.push(nameOf(error));
    }
  };
  let underWay = Promise.resolve();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      underWay = once();
      await underWay;
      await pause(pauseMs);
    }
  })();
  return {
    counts: () => ({ queries, errors: failures.length }),
    failures: () => failures,
    underWay: () => underWay,
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

/** Not by `instanceof`: what Node itself throws is no Error of the realm that jest runs a test in. */
function nameOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('name' in error)) return typeof error;
  // `fetch` says in its cause alone what has failed.
  const cause = 'cause' in error ? codeOf(error.cause) : undefined;
  return [String(error.name), codeOf(error) ?? cause].filter((word) => word !== undefined).join(' ');
}

function codeOf(error: unknown): string | undefined {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error;
  return isCoded && typeof error.code === 'string' ? error.code : undefined;
}
