import * as z from 'zod/mini';
import { exchange, type Reply } from '../https/exchange';
import {
  AnswerMalformed,
  ClusterFailing,
  ClusterForbidden,
  ClusterRefused,
  ClusterUnauthorized,
  ObjectConflict,
  ObjectNotFound,
} from './errors';
import type { EksTokens } from './token';

/** A request about one object, in milliseconds. */
const timeoutMs = 10_000;

/** Objects may have 1.5 MiB, which is what etcd takes; JSON is longer than what it keeps. */
const longestAnswer = 4 * 1024 * 1024;

/** How a patch is to be read. Custom resources do not take the strategic kind, and answer 415. */
export type PatchKind = 'strategic-merge-patch' | 'merge-patch';

/** One object of the cluster. */
export interface ObjectPath {
  /** Path below the server, such as `/apis/apps/v1/namespaces/shop/deployments/api`. */
  readonly path: string;
  /** How errors call it, such as `deployments/api`. */
  readonly what: string;
}

/** Reason of a Status, the body of a refusal. */
const statusShape = z.object({ kind: z.literal('Status'), reason: z.optional(z.string()) });

/** A cluster's API server, as far as an adapter talks to it: over TLS by the cluster's own authority, with IAM's tokens. */
export class Cluster {
  constructor(
    private readonly endpoint: string,
    private readonly ca: string,
    private readonly tokens: EksTokens,
  ) {}

  /** Reads an object. */
  read<Shape>(object: ObjectPath, shape: z.ZodMiniType<Shape>, signal: AbortSignal): Promise<Shape> {
    return this.ask('GET', object, undefined, shape, signal);
  }

  /** Changes an object, and returns what it is afterwards. ObjectConflict where the patch names an older version of it. */
  patch<Shape>(
    object: ObjectPath,
    kind: PatchKind,
    patch: object,
    shape: z.ZodMiniType<Shape>,
    signal: AbortSignal,
  ): Promise<Shape> {
    return this.ask('PATCH', object, { kind, text: JSON.stringify(patch) }, shape, signal);
  }

  private async ask<Shape>(
    method: 'GET' | 'PATCH',
    { path, what }: ObjectPath,
    patch: { readonly kind: PatchKind; readonly text: string } | undefined,
    shape: z.ZodMiniType<Shape>,
    signal: AbortSignal,
  ): Promise<Shape> {
    // Field managers are how the cluster names who has set a field.
    const url = new URL(method === 'PATCH' ? `${path}?fieldManager=rotor` : path, this.endpoint);
    const call = `${method} ${what}`;
    const send = async (): Promise<Reply> =>
      exchange(
        {
          method,
          url,
          what: call,
          headers: {
            authorization: `Bearer ${await this.tokens.token()}`,
            ...(patch === undefined ? {} : { 'content-type': `application/${patch.kind}+json` }),
          },
          ...(patch === undefined ? {} : { body: patch.text }),
          ca: this.ca,
          timeoutMs,
          longest: longestAnswer,
        },
        signal,
      );
    let reply = await send();
    if (reply.status === 401) {
      // It may have ended, or the role's credentials have been replaced.
      this.tokens.forget();
      reply = await send();
    }
    if (reply.status !== 200) throw refusal(reply, call);
    const parsed = z.safeParse(shape, json(reply.text));
    if (parsed.success) return parsed.data;
    const fields = parsed.error.issues.map((issue) => issue.path.join('.'));
    throw new AnswerMalformed(`${call} answered something else: ${fields.join(', ')}`);
  }
}

/**
 * Names a status. Of the body, a Status of the API conventions, only the reason is told, which is one word: messages of
 * admission quote specifications, and those may hold values.
 */
function refusal({ status, text }: Reply, call: string): Error {
  const parsed = z.safeParse(statusShape, json(text));
  const reason = parsed.success ? (/^[A-Za-z]+$/.exec(parsed.data.reason ?? '')?.[0] ?? '') : '';
  const told = `${call} answered ${`${status} ${reason}`.trim()}`;
  switch (status) {
    case 401:
      return new ClusterUnauthorized(
        `${told}: is the role of this function in the cluster's access entries?`,
      );
    case 403:
      return new ClusterForbidden(told);
    case 404:
      return new ObjectNotFound(told);
    case 409:
      return new ObjectConflict(told);
    case 408:
    case 425:
    case 429:
      return new ClusterFailing(told);
  }
  return status >= 500 ? new ClusterFailing(told) : new ClusterRefused(told);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
