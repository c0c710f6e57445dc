import type { RolledOut } from '../adapter';
import { rollOutMark, shortHash } from '../mark';

/**
 * What stands in the tag of a service about its last roll-out.
 *
 * It is written before the deployment is begun (`before` alone) and once more after (`begun`), so that whoever comes
 * after a crash can tell whether there was one.
 */
export interface LedgerEntry {
  readonly mark: string;
  /** The deployment that was PRIMARY when the roll-out was about to be begun. */
  readonly before: string;
  /** The deployment that the roll-out is, and when that was written, in milliseconds since the epoch. */
  readonly begun: { readonly id: string; readonly at: number } | undefined;
}

const keyPrefix = 'rotor:roll-out:';

/** Key of the tag: one for each secret, since a service may use several. */
export function ledgerKey({ secret }: Pick<RolledOut, 'secret'>): string {
  return `${keyPrefix}${shortHash(secret.arn)}`;
}

/** The entry of this roll-out; undefined while the tag speaks of another one, or of none. */
export function readEntry(
  tags: Readonly<Record<string, string>>,
  version: RolledOut,
): LedgerEntry | undefined {
  const entry = parseEntry(tags[ledgerKey(version)]);
  return entry?.mark === rollOutMark(version) ? entry : undefined;
}

/** The entries of every secret that the service uses, with that of this roll-out among them. */
export function readLedger(tags: Readonly<Record<string, string>>): readonly LedgerEntry[] {
  return Object.entries(tags).flatMap(([key, value]) =>
    key.startsWith(keyPrefix) ? (parseEntry(value) ?? []) : [],
  );
}

/** The entry as a tag's value: letters, digits and `.-/` with spaces between, which Amazon ECS allows. */
export function writeEntry({ mark, before, begun }: LedgerEntry): string {
  const whole = begun === undefined ? [] : [begun.id, Math.floor(begun.at / 1_000).toString()];
  return [mark, before, ...whole].join(' ');
}

/** An entry without a time counts as one of long ago. */
function parseEntry(value = ''): LedgerEntry | undefined {
  const [mark, before, id, seconds = '0'] = value.split(' ');
  if (mark === undefined || before === undefined) return undefined;
  return { mark, before, begun: id === undefined ? undefined : { id, at: Number(seconds) * 1_000 } };
}
