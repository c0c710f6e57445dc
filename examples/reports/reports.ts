import { type LambdaContext, lambdaHandler } from '../../client/lambda-handler';
import { RefreshResponder } from '../../client/refresh-responder';
import { RotatingSecret } from '../../client/rotating-secret';
import type { SecretMembers } from '../../client/secret-version';

/**
 * Uses a credential once: opens, does the least that the application needs, and closes.
 *
 * @returns how much of something it has counted.
 */
export type Use = (credential: SecretMembers, application: string) => Promise<number>;

/**
 * A report on a system whose credential rotates: counts something with it whenever it is invoked.
 *
 * Rotor's rule invokes it as well, with a request to load the secret again; the client answers that, after it has
 * used the new credential once. Every execution environment is an instance with a cache of its own.
 */
export function reports(use: Use): (event: unknown, context?: LambdaContext) => Promise<unknown> {
  const consumer = setting('CONSUMER');
  const secret = RotatingSecret.json({
    secretId: setting('SECRET_ID'),
    maxAgeSeconds: Number(setting('MAX_AGE_SECONDS')),
    prove: async (credential) => {
      await use(credential, consumer);
    },
  });
  const answer = lambdaHandler(new RefreshResponder({ consumer, secret }));
  return async (event, context) => {
    if (typeof event === 'object' && event !== null && 'detail-type' in event) return answer(event, context);
    return { counted: await secret.withCredential(({ value }) => use(value, consumer)) };
  };
}

/** A member of a secret that has to be text; the message names it and does not quote it. */
export function text(value: unknown, member: string): string {
  if (typeof value !== 'string') throw new Error(`the secret's ${member} is not text`);
  return value;
}

/** Whether a secret's server is reached without TLS: it declines it, or the server runs on the same machine. */
export function isPlain({ host, ssl }: SecretMembers): boolean {
  return (
    ssl === false ||
    ssl === 'false' ||
    (ssl === undefined && /^(127\.|::1$|localhost$)/.test(text(host, 'host')))
  );
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`environment variable ${name} is missing`);
  return value;
}
