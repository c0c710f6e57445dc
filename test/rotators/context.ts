import { randomBytes } from 'node:crypto';
import type { RehearsalTarget } from '../../local/targets/target';
import type { CreateOptions, RotatorContext } from '../../rotators/rotator';

/** What a function would hand to every verb, for a credential of a rehearsal. */
export function contextFor(
  target: RehearsalTarget,
  changes: Partial<RotatorContext<string>> = {},
): RotatorContext<string> {
  return {
    admin: target.admin,
    readAdminAgain: undefined,
    settings: target.settings ?? {},
    signal: AbortSignal.timeout(20_000),
    password: () => randomBytes(24).toString('base64url'),
    ...changes,
  };
}

/** Changes members of a SecretString; undefined removes one. */
export function withMembers(secret: string, members: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...membersOf(secret), ...members });
}

/** The members of a SecretString. */
export function membersOf(secret: string): Readonly<Record<string, unknown>> {
  return JSON.parse(secret) as Readonly<Record<string, unknown>>;
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new TypeError('rejected with something that is no error', { cause: error });
  }
  throw new Error('resolved, although it should have been rejected');
}

/** What `create` is told for a version of its own, with no other version around. */
export function newVersion(): CreateOptions<string> {
  return { versionId: crypto.randomUUID(), others: [] };
}
