import { randomBytes } from 'node:crypto';
import { TargetUnreachable } from '../../domain/errors';
import type { RehearsalTarget } from '../../local/targets/target';
import type { CreateOptions, RotatorContext } from '../../rotators/rotator';
import './running-time';

/** The end of a verb that hangs, before the test's own: none that is tried here takes long. */
export const inGoodTime = () => AbortSignal.timeout(120_000);

/** What a function would hand to every verb, for a credential of a rehearsal. */
export function contextFor(
  target: RehearsalTarget,
  changes: Partial<RotatorContext<string>> = {},
): RotatorContext<string> {
  return {
    admin: target.admin,
    readAdminAgain: undefined,
    settings: target.settings ?? {},
    signal: inGoodTime(),
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

/** Tries again while the target is out of reach for the moment, as the workflow does. */
export async function withPatience<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++)
    try {
      return await attempt();
    } catch (error) {
      if (tries === 20 || !(error instanceof TargetUnreachable)) throw error;
    }
}

/** What `create` is told for a version of its own, with no other version around. */
export function newVersion(): CreateOptions<string> {
  return { versionId: crypto.randomUUID(), others: [] };
}
