import type { IncomingMessage, RequestListener } from 'node:http';
import { isSigned } from './verify-signature';

/** What the receiver speaks for. */
export interface Application {
  /** The version that every instance runs on; undefined where that is not known. */
  runningVersion(): string | undefined | Promise<string | undefined>;
  /**
   * Loads what AWSCURRENT names now, everywhere, and proves it. An error is a refusal: its message is told to Rotor, and so
   * must hold no value of the secret.
   */
  load(versionId: string): Promise<void>;
}

/** What the receiver is made of. */
export interface ReceiverOptions {
  /** Keys in force; read anew every now and then, since they are rotated as well. */
  readonly keys: () => Promise<readonly string[]>;
  readonly application: Application;
  readonly now?: () => number;
}

/** A request names ids; nothing of it is longer. In bytes. */
const longestBody = 16 * 1024;

interface Answer {
  readonly status: number;
  readonly document?: object;
}

type Job = { readonly state: 'working' } | { readonly state: 'refused'; readonly reason: string };

/**
 * Answers the requests of Rotor's adapter for HTTPS endpoints.
 *
 * A POST may come again at any time. It is compared with the version that the application runs on, never with a list of what
 * came before: a rotation that goes back asks for an older version again, and it has to be loaded again. While a load goes
 * on the answer is 202, and Rotor asks by GET. What was begun is kept in memory; a GET for a version that nobody here knows
 * of, after a restart or from another instance, begins anew like a POST.
 */
export function receiver({ keys, application, now = Date.now }: ReceiverOptions): RequestListener {
  const jobs = new Map<string, Job>();

  const load = async (versionId: string): Promise<Job | undefined> => {
    try {
      await application.load(versionId);
    } catch (error) {
      return { state: 'refused', reason: error instanceof Error ? error.message : 'it could not be loaded' };
    }
    // Or every GET would begin it anew.
    const isRunning = (await application.runningVersion()) === versionId;
    return isRunning ? undefined : { state: 'refused', reason: 'it was loaded, and another version runs' };
  };

  const begin = (versionId: string): void => {
    jobs.set(versionId, { state: 'working' });
    load(versionId).then(
      (refused) => (refused === undefined ? jobs.delete(versionId) : jobs.set(versionId, refused)),
      // What runs could not be read: whoever asks next begins anew.
      () => jobs.delete(versionId),
    );
  };

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const isPost = request.method === 'POST';
    if (!isPost && request.method !== 'GET') return { status: 405 };
    const body = await bodyOf(request);
    if (body === undefined) return { status: 413 };
    const path = request.url ?? '/';
    const header = request.headers['rotor-signature'];
    const wasSigned = isSigned({
      header: typeof header === 'string' ? header : undefined,
      // Before anybody reads what it says, and as it came: JSON that was parsed and written again is another text.
      signed: isPost ? body : path,
      keys: await keys(),
      nowMs: now(),
    });
    if (!wasSigned) return { status: 401 };
    const versionId = isPost
      ? versionIn(body)
      : (new URL(path, 'https://endpoint').searchParams.get('versionId') ?? undefined);
    if (versionId === undefined) return { status: 400 };
    if (jobs.get(versionId)?.state === 'working') return { status: 202 };
    // Named, so that a 200 of whatever else stands in the way is not taken for this one.
    if ((await application.runningVersion()) === versionId) return { status: 200, document: { versionId } };
    // Another request may have begun it meanwhile.
    const job = jobs.get(versionId);
    if (job?.state === 'working') return { status: 202 };
    if (!isPost && job !== undefined) return { status: 409, document: { reason: job.reason } };
    begin(versionId);
    return { status: 202 };
  };

  return (request, response) => {
    void answer(request)
      // The keys or the version could not be read: Rotor tries again.
      .catch((): Answer => ({ status: 503 }))
      .then(({ status, document }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(document === undefined ? undefined : JSON.stringify(document));
      });
  };
}

function versionIn(body: Buffer): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    const value: unknown =
      typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'versionId') : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    const buffer = Buffer.from(part as Uint8Array);
    bytes += buffer.length;
    if (bytes > longestBody) return undefined;
    parts.push(buffer);
  }
  return Buffer.concat(parts);
}
