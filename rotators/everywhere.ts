import {
  AdminRejected,
  CredentialRejected,
  RotorError,
  rotorErrors,
  type RotorErrorName,
} from '../domain/errors';

/**
 * Does the same at several places and answers in their order; an error says at which of them, and what.
 *
 * The first place goes alone, and where it refuses the login, nobody asks the others: a wrong credential costs one refused
 * login and not one for each. Every other failure is worth knowing of all places. Nothing runs any more when this ends.
 */
export async function everywhere<Place, Result>(
  places: readonly Place[],
  run: (place: Place) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const failures: RotorError[] = [];
  const [first, ...others] = places;
  const settle = async (wave: readonly Place[]) => {
    for (const outcome of await Promise.allSettled(wave.map(run)))
      if (outcome.status === 'fulfilled') results.push(outcome.value);
      else if (outcome.reason instanceof RotorError) failures.push(outcome.reason);
      else throw outcome.reason;
  };
  await settle(first === undefined ? [] : [first]);
  const [refused] = failures;
  if (refused instanceof CredentialRejected || refused instanceof AdminRejected) throw refused;
  await settle(others);
  if (failures.length > 0) throw joined(failures, places.length);
  return results;
}

/** Opens a session at every place, works with all of them, and closes them, whatever has happened. */
export async function withSessions<Place, Session extends { close(): void }, Result>(
  places: readonly Place[],
  work: (sessions: readonly Session[]) => Promise<Result>,
  open: (place: Place) => Promise<Session>,
): Promise<Result> {
  const opened: Session[] = [];
  try {
    return await work(
      await everywhere(places, async (place) => {
        const session = await open(place);
        opened.push(session);
        return session;
      }),
    );
  } finally {
    for (const session of opened) session.close();
  }
}

/** Opens a session with the first of the logins that is accepted. The first refusal, CredentialRejected, where none is. */
export async function firstAccepted<Login, Session>(
  logins: readonly Login[],
  open: (login: Login) => Promise<Session>,
): Promise<Session> {
  let refused: unknown;
  for (const login of logins)
    try {
      return await open(login);
    } catch (error) {
      if (!(error instanceof CredentialRejected)) throw error;
      refused ??= error;
    }
  throw refused;
}

/** One error for all: of what waiting does not mend, if there is any. */
function joined(failures: readonly RotorError[], places: number): RotorError {
  const [first] = failures;
  const gravest = failures.find(({ retryable }) => !retryable) ?? first;
  if (gravest === undefined) throw new TypeError('nothing has failed');
  if (places === 1) return gravest;
  const what = failures.map(({ message }) => message).join('; ');
  return new rotorErrors[gravest.name as RotorErrorName](`${failures.length} of ${places}: ${what}`);
}
