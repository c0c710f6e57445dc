import { createHash } from 'node:crypto';

/** The label that Rotor puts on a version whose credential must not be overwritten yet. */
export const heldLabel = 'rotor-held';

/** The fixed name of the state machine, so that rotation function and machine need not reference each other. */
export const stateMachineName = 'rotor-rotation';

/** Label of the Map that asks large waves: its iterations are executions under the machine's name and this. */
export const largeWaveLabel = 'AskLargeWave';

/** Where enrolments live in Parameter Store. */
const parameterRoot = '/rotor/secrets';

/**
 * Writes any name with the characters that one level of a parameter name may hold; reversible.
 *
 * Secret names may hold `/ + = @` and `_`, parameter levels may hold letters, digits, `.`, `-` and `_`
 * (AWS: Systems Manager, "Parameter name requirements"). Everything else, and `_` itself, becomes `_` and two
 * hexadecimal digits for each of its UTF-8 bytes.
 */
export function parameterLevel(name: string): string {
  return [...Buffer.from(name, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9.-]/.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

/**
 * The name that `parameterLevel` was given; undefined where no name is written so.
 *
 * Teams write these parameters by hand too: `job_41` would pass for the name `jobA`, and nobody of that name would ever
 * acknowledge.
 */
export function nameOfLevel(level: string): string | undefined {
  const bytes = level.replace(/_([0-9a-f]{2})/g, (_, hex: string) => `%${hex}`);
  try {
    const name = decodeURIComponent(bytes);
    return parameterLevel(name) === level ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Everything that is enrolled for one secret lies below this path. */
export function secretParameters(secretName: string): string {
  return `${parameterRoot}/${parameterLevel(secretName)}`;
}

/** Name of the parameter that holds a secret's policy. */
export function secretPolicyParameter(secretName: string): string {
  return `${secretParameters(secretName)}/policy`;
}

/** Name of the parameter by which one application enrols as a consumer of a secret. */
export function consumerParameter(secretName: string, consumer: string): string {
  return `${secretParameters(secretName)}/consumers/${parameterLevel(consumer)}`;
}

/** The turns of one rotation group lie below this path, each a parameter by its number. */
export function groupTurns(group: string): string {
  return `/rotor/groups/${parameterLevel(group)}/turns`;
}

/** The name of a secret, from its ARN: what follows `secret:`, without the hyphen and six characters that AWS adds. */
export function secretNameOf(secretArn: string): string {
  return (secretArn.split(':').slice(6).join(':') || secretArn).replace(/-[A-Za-z0-9]{6}$/, '');
}

/**
 * Name of a rotation's execution: the same for every repeat of one attempt, so that starting it is idempotent.
 *
 * Step Functions allows 80 characters and remembers a closed name for 90 days. A token has 64 characters at most;
 * what is left shows the secret's name to whoever reads the list of executions, and 8 characters of a hash keep apart
 * what is shortened or replaced: secrets with equal beginnings, tokens with characters that a name may not have.
 */
export function executionName(
  secretArn: string,
  token: string,
  attempt: number,
  mode: 'rotate' | 'test',
): string {
  return nameOf(secretArn, token, [], `${mode === 'test' ? 't' : ''}${String(attempt)}`);
}

/**
 * Name of the execution that follows one move of AWSCURRENT by somebody else: the same for every delivery of its event.
 *
 * `movedAt`, the event's time, goes into the hash: a version that AWSCURRENT comes back to, as when a person takes a
 * value back, is followed anew, although its name from before is remembered for 90 days.
 */
export function followName(secretArn: string, versionId: string, movedAt: string): string {
  return nameOf(secretArn, versionId, [movedAt], 'f');
}

function nameOf(secretArn: string, versionId: string, apart: readonly string[], ending: string): string {
  const hashed = [secretArn, versionId, ...apart].join(' ');
  const hash = createHash('sha256').update(hashed).digest('hex').slice(0, 8);
  const tail = `-${hash}-${versionId.replace(/[^A-Za-z0-9_-]/g, '_')}-${ending}`;
  const slug = secretNameOf(secretArn).replace(/[^A-Za-z0-9_-]+/g, '-');
  return `${slug.slice(0, Math.max(0, 80 - tail.length))}${tail}`.replace(/^-+/, '');
}
