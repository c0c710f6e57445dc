import { createHmac } from 'node:crypto';
import type { Clock } from '../../client/clock';
import type { SecretsManagerPort } from '../../client/ports';
import { SigningKeyMissing } from './errors';

/** How long keys are used without another look, in milliseconds: a rotation asks every few seconds. */
const cachedMs = 60_000;

/** Fewer characters than these are no key, whatever the alphabet: 128 bits take 22 of Base64. */
const shortestKey = 22;

/** Where the keys are. */
export interface KeyPlace {
  readonly signingSecretArn: string;
  readonly signingMember: string;
}

/**
 * The keys to sign with: that of AWSCURRENT and, where there is one, that of AWSPREVIOUS.
 *
 * Both sign, so that the key can be rotated by Rotor itself without anybody waiting for this side: a receiver that has not
 * loaded the new key yet knows the one before, and one that has forgotten the old one knows the new. It trusts the
 * signature of a key that it holds, so that an old key does not become valid by being used beside the new one.
 */
export class SigningKeys {
  private cached: { readonly keys: readonly string[]; readonly readAt: number } | undefined;

  constructor(
    private readonly secretsManager: SecretsManagerPort,
    private readonly place: KeyPlace,
    private readonly clock: Clock,
  ) {}

  /** One key or two, the current one first. SigningKeyMissing, and Secrets Manager's errors. */
  async read(signal: AbortSignal): Promise<readonly string[]> {
    const age = this.cached === undefined ? Infinity : this.clock.now() - this.cached.readAt;
    // A wall clock that was set back makes ages negative.
    if (this.cached !== undefined && age >= 0 && age < cachedMs) return this.cached.keys;
    const readAt = this.clock.now();
    const keys = await this.look(signal);
    this.cached = { keys, readAt };
    return keys;
  }

  /** Makes the next call read again. */
  forget(): void {
    this.cached = undefined;
  }

  private async look(signal: AbortSignal): Promise<readonly string[]> {
    const { signingMember } = this.place;
    const first = await this.keyUnder('AWSCURRENT', signal);
    const previous = await this.keyUnder('AWSPREVIOUS', signal).catch((error: unknown) => {
      // A secret that was never rotated has no version under this label.
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    });
    // The labels moved between the two looks: what was current is the one before now.
    const current =
      previous !== undefined && previous.versionId === first.versionId
        ? await this.keyUnder('AWSCURRENT', signal)
        : first;
    if (current.key === undefined)
      throw new SigningKeyMissing(
        `the signing secret has no key of ${shortestKey} characters or more in ${signingMember}`,
      );
    // What a person wrote before the first rotation need not have been a key.
    return [...new Set([current.key, previous?.key].filter((key) => key !== undefined))];
  }

  private async keyUnder(
    label: 'AWSCURRENT' | 'AWSPREVIOUS',
    abortSignal: AbortSignal,
  ): Promise<{ readonly key: string | undefined; readonly versionId: string | undefined }> {
    const { SecretString: text, VersionId: versionId } = await this.secretsManager.getSecretValue(
      { SecretId: this.place.signingSecretArn, VersionStage: label },
      { abortSignal },
    );
    const key = text === undefined ? undefined : memberOf(text, this.place.signingMember);
    return { key: key === undefined || key.length < shortestKey ? undefined : key, versionId };
  }
}

/** The value of the header `Rotor-Signature`: `t=<seconds since the epoch>,v1=<hex>`, with one `v1` for each key. */
export function signatureOf(keys: readonly string[], nowMs: number, signed: string): string {
  const t = String(Math.floor(nowMs / 1000));
  const signatures = keys.map((key) => createHmac('sha256', key).update(`${t}.${signed}`).digest('hex'));
  return [`t=${t}`, ...signatures.map((hex) => `v1=${hex}`)].join(',');
}

function memberOf(text: string, member: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return text;
  const value: unknown = Object.hasOwn(parsed, member) ? Reflect.get(parsed, member) : undefined;
  return typeof value === 'string' ? value : undefined;
}
