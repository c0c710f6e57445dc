import { abortable, type Clock, sleep, systemClock } from './clock';
import { type OnClientEvent, quietly } from './client-event';
import { errorLabel, OptionInvalid, ProofFailed, SecretUnavailable } from './errors';
import { isLoginRefused, mostLogins } from './login-refused';
import { defaultSecretsManager, type SecretsManagerPort } from './ports';
import { type Prove, Prover } from './proof';
import { type Reading, SecretReader } from './secret-reader';
import { parseMembers, type SecretMembers, type SecretVersion } from './secret-version';

/** How a secret is read and kept, where the application does not care. */
export interface RotatingSecretOptions {
  /** Name or ARN. */
  readonly secretId: string;
  /**
   * How long a value may be handed out after the look that found it; 60 by default. Every instance keeps to it, so
   * an acknowledgement waits as long before it speaks for all of them. It is also how long Secrets Manager may be
   * away before `get` fails.
   */
  readonly maxAgeSeconds?: number;
  /** From which age on a value is looked at again in the background; half of `maxAgeSeconds` by default. */
  readonly lookAfterSeconds?: number;
  /** How long one look may take; 10 by default. */
  readonly readTimeoutSeconds?: number;
  /** How long one attempt of the proof may take; 30 by default. There are three attempts. */
  readonly proveTimeoutSeconds?: number;
  readonly secretsManager?: SecretsManagerPort;
  readonly clock?: Clock;
  readonly on?: OnClientEvent;
}

/** The options together with the application's own check of a value. */
export interface Provable<Value> {
  /** Does with a new value what the application needs, opening one connection for example, and throws if that fails. */
  readonly prove?: Prove<Value>;
}

/** A version that replaced another, and whether the application has proved it. */
export interface NewVersion<Value> {
  readonly version: SecretVersion<Value>;
  readonly proven: boolean;
}

/** What a request found: the version that is served now, and when it was known to be AWSCURRENT. */
export interface Loaded {
  readonly versionId: string;
  readonly knownAt: number;
}

interface Serving<Value> {
  readonly version: SecretVersion<Value>;
  /** When the last look began that allowed this version to be handed out. Ages count from here. */
  readonly freshAt: number;
  /** The refused version that AWSCURRENT still named when AWSPENDING was taken as a bridge. */
  readonly bridges: string | undefined;
}

/** While AWSPENDING is served, the labels are looked at this often: the gap that it bridges is short. */
const bridgeLookMs = 5_000;
/** A refusal that nothing helped against, or a refused bridge, is not looked into again for this long. */
const fruitlessMs = 1_000;
const deadBridgeMs = 5_000;
/** A login that takes longer than this is not waited for any more before a version is acknowledged. */
const loginMs = 10_000;

/**
 * A secret that the application reads through a cache which follows rotations.
 *
 * What is served, and how it changes:
 * - nothing → AWSCURRENT, at the first `get`
 * - a version → a newer AWSCURRENT: once proved; or unproved when the old value reaches `maxAgeSeconds` or is refused
 * - a version → AWSPENDING, when a login with AWSCURRENT was refused and nothing newer is current (the bridge)
 * - the bridge → AWSCURRENT, when the label moves, when AWSPENDING moves away, or when the bridge is refused
 * - a new version → the one before it, when the application refuses the new one to Rotor; that one is then kept,
 *   however old, until AWSCURRENT moves or a login with it is refused
 */
export class RotatingSecret<Value = SecretMembers> {
  readonly maxAgeMs: number;
  private readonly lookAfterMs: number;
  private readonly clock: Clock;
  private readonly on: OnClientEvent;
  private readonly reader: SecretReader<Value>;
  private readonly prover: Prover<Value>;
  private readonly listeners = new Set<(change: NewVersion<Value>) => unknown>();
  private readonly recoveries = new Map<string, Promise<SecretVersion<Value> | undefined>>();
  private readonly deadBridges = new Map<string, number>();
  private readonly logins = new Set<{ readonly versionId: string; readonly ended: Promise<unknown> }>();
  private serving: Serving<Value> | undefined;
  private before: SecretVersion<Value> | undefined;
  private seen: Reading<Value> | undefined;
  private declined: string | undefined;
  private lookedAt = -Infinity;
  private fruitless: { readonly versionId: string; readonly until: number } | undefined;

  private constructor(
    { secretId, ...options }: RotatingSecretOptions & Provable<Value>,
    parse: (secretString: string) => Value,
  ) {
    this.maxAgeMs = positiveMs('maxAgeSeconds', options.maxAgeSeconds ?? 60);
    this.lookAfterMs = positiveMs('lookAfterSeconds', options.lookAfterSeconds ?? this.maxAgeMs / 2_000);
    this.clock = options.clock ?? systemClock;
    this.on = quietly(options.on);
    const readLimitMs = positiveMs('readTimeoutSeconds', options.readTimeoutSeconds ?? 10);
    const secretsManager = options.secretsManager ?? defaultSecretsManager(secretId);
    this.reader = new SecretReader(secretsManager, secretId, parse, this.clock, readLimitMs);
    const proveLimitMs = positiveMs('proveTimeoutSeconds', options.proveTimeoutSeconds ?? 30);
    this.prover = new Prover(options.prove, this.clock, proveLimitMs);
  }

  /** A secret whose text is a JSON object. Nothing is read before it is needed. */
  static json(options: RotatingSecretOptions & Provable<SecretMembers>): RotatingSecret {
    return new RotatingSecret(options, parseMembers);
  }

  /** A secret whose text the application parses itself. */
  static parsedBy<Value>(
    parse: (secretString: string) => Value,
    options: RotatingSecretOptions & Provable<Value>,
  ): RotatingSecret<Value> {
    return new RotatingSecret(options, parse);
  }

  /**
   * The version to work with now. Use it at once: whoever keeps it keeps it past its age.
   *
   * SecretUnavailable when it is too old and cannot be read; SecretUnreadable when there is no usable value at all.
   */
  async get(options: { readonly signal?: AbortSignal } = {}): Promise<SecretVersion<Value>> {
    const { serving } = this;
    if (serving === undefined || !this.isYoung(serving)) return abortable(this.lookNow(), options.signal);
    const pauseMs =
      serving.bridges === undefined ? this.lookAfterMs : Math.min(bridgeLookMs, this.lookAfterMs);
    if (this.clock.now() - this.lookedAt >= pauseMs) this.lookInBackground();
    return serving.version;
  }

  /** Looks at AWSCURRENT now, whatever the age, and serves what it names without proof. */
  async refresh(options: { readonly signal?: AbortSignal } = {}): Promise<SecretVersion<Value>> {
    return abortable(this.lookNow(), options.signal);
  }

  /** The secret that this is about, as AWS names it. */
  async identity(): Promise<{ readonly arn: string; readonly name: string }> {
    if (this.seen === undefined) await this.lookNow();
    if (this.seen === undefined) throw new SecretUnavailable('the secret has never been read');
    return { arn: this.seen.arn, name: this.seen.name };
  }

  /**
   * Calls `fn` with the version to work with, and again with another one as long as the login is refused and there is
   * another one: AWSCURRENT read anew, then AWSPENDING, then AWSCURRENT again; four calls at most. Only errors that
   * `isRefused` knows are answered that way; every other error, and the last refusal, goes to the caller unchanged.
   */
  async withCredential<Result>(
    fn: (version: SecretVersion<Value>) => Promise<Result>,
    isRefused: (error: unknown) => boolean = isLoginRefused,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Result> {
    let version = await this.get(options);
    for (let logins = 1; ; logins++) {
      try {
        return await this.duringLogin(version.versionId, fn(version));
      } catch (error) {
        if (logins === mostLogins || !isRefused(error)) throw error;
        const next = await abortable(this.onRefused(version.versionId), options.signal);
        if (next === undefined) throw error;
        version = next;
      }
    }
  }

  /**
   * What to try after the target refused a login with a version; undefined when there is nothing else. However many
   * logins are refused at once, the labels are read once. Never rejects: the caller's own refusal says more.
   */
  onRefused(versionId: string): Promise<SecretVersion<Value> | undefined> {
    const running = this.recoveries.get(versionId);
    if (running !== undefined) return running;
    const started = this.recover(versionId)
      .catch((error: unknown) => {
        this.on({ type: 'look-failed', error: errorLabel(error) });
        return undefined;
      })
      .finally(() => this.recoveries.delete(versionId));
    this.recoveries.set(versionId, started);
    return started;
  }

  /**
   * Passes a login with a version on. Until it has ended, and for 10 s at most, `load` does not return another version:
   * the old credential may be stopped as soon as that is acknowledged, and a login under way would be refused.
   */
  duringLogin<Result>(versionId: string, login: Promise<Result>): Promise<Result> {
    const underWay = { versionId, ended: login.catch(() => undefined) };
    this.logins.add(underWay);
    void underWay.ended.then(() => this.logins.delete(underWay));
    return login;
  }

  /** Calls `listener` whenever another version is served than before, so that old connections can drain. */
  onNewVersion(listener: (change: NewVersion<Value>) => unknown): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Answers a request: reads AWSCURRENT with a look of its own, proves it unless that was done, serves it, and waits for
   * the logins with other versions that are under way.
   *
   * ProofFailed when the application cannot work with it: the version before is served then. SecretUnavailable.
   */
  async load(): Promise<Loaded> {
    for (let looks = 1; looks <= 5; looks++) {
      const reading = await this.reader.current();
      const { version, endedAt } = reading;
      this.note(reading);
      try {
        await this.prover.prove(version);
      } catch (error) {
        // The rotation may have been taken back meanwhile: refused is only what AWSCURRENT still names.
        this.note(await this.reader.current());
        if (this.seen?.version.versionId !== version.versionId) continue;
        if (error instanceof ProofFailed) this.decline(version.versionId);
        throw error;
      }
      if (this.seen?.version.versionId !== version.versionId) continue;
      this.declined = undefined;
      if (this.serving?.version.versionId !== version.versionId) this.serve(reading);
      await this.endOfOlderLogins(version.versionId);
      return { versionId: version.versionId, knownAt: endedAt };
    }
    throw new SecretUnavailable('AWSCURRENT moves faster than it can be read');
  }

  /**
   * Proves a version that AWSPENDING names, and serves what it served before. Nothing is proved again when that version
   * becomes AWSCURRENT.
   *
   * ProofFailed when the application cannot work with it. SecretUnavailable where no label that may be read names it.
   */
  async verify(versionId: string): Promise<void> {
    const isAsked = (reading: Reading<Value> | undefined) => reading?.version.versionId === versionId;
    const pending = await this.reader.pending();
    const found = pending !== undefined && isAsked(pending) ? pending : await this.reader.current();
    if (!isAsked(found))
      throw new SecretUnavailable(
        `version ${versionId} is neither AWSPENDING nor AWSCURRENT, or may not be read`,
      );
    await this.prover.prove(found.version);
  }

  private isYoung(serving: Serving<Value>): boolean {
    const age = this.clock.now() - serving.freshAt;
    return age >= 0 && age < this.maxAgeMs;
  }

  private async lookNow(): Promise<SecretVersion<Value>> {
    for (let looks = 1; looks <= 3; looks++) {
      await this.look((reading) => this.serve(reading));
      // A look that took longer than the age limit proves nothing about now.
      if (this.serving !== undefined && this.isYoung(this.serving)) return this.serving.version;
    }
    throw new SecretUnavailable('reading the secret takes longer than maxAgeSeconds');
  }

  private lookInBackground(): void {
    this.lookedAt = this.clock.now();
    this.look((reading) => this.serveWhenProven(reading)).catch((error: unknown) =>
      this.on({ type: 'look-failed', error: errorLabel(error) }),
    );
  }

  private async look(onNewer: (reading: Reading<Value>) => void): Promise<void> {
    const reading = await this.reader.sharedCurrent();
    if (this.note(reading) === 'bridged') await this.checkBridge(reading);
    else if (this.serving?.version.versionId !== reading.version.versionId && this.isLatest(reading)) {
      // Where there is nothing else, even a refused version is better than none.
      if (this.serving === undefined || this.declined !== reading.version.versionId) onNewer(reading);
    }
  }

  /** Books what a look found, as far as that needs no decision: ages, the end of a bridge, the end of a refusal. */
  private note(reading: Reading<Value>): 'bridged' | 'noted' {
    if (!this.isLatest(reading)) return 'noted';
    this.seen = reading;
    this.lookedAt = Math.max(this.lookedAt, reading.beganAt);
    const { versionId } = reading.version;
    if (this.declined !== versionId) this.declined = undefined;
    const { serving } = this;
    if (serving === undefined) return 'noted';
    if (serving.version.versionId === versionId)
      this.serving = { version: serving.version, freshAt: reading.beganAt, bridges: undefined };
    else if (serving.bridges === versionId) return 'bridged';
    else if (this.declined === versionId) this.serving = { ...serving, freshAt: reading.beganAt };
    return 'noted';
  }

  /** A look that began earlier may end later; it must not undo what the later one found. */
  private isLatest(reading: Reading<Value>): boolean {
    return this.seen === undefined || reading.number >= this.seen.number;
  }

  private async checkBridge(current: Reading<Value>): Promise<void> {
    const { serving } = this;
    const pending = await this.reader.pending();
    if (this.serving !== serving || serving === undefined) return;
    if (pending?.version.versionId === serving.version.versionId)
      this.serving = { ...serving, freshAt: pending.beganAt };
    else this.serve(current);
  }

  private serveWhenProven(reading: Reading<Value>): void {
    const { versionId } = reading.version;
    this.prover.prove(reading.version).then(
      () => {
        const isCurrent = this.seen?.version.versionId === versionId && this.declined !== versionId;
        if (isCurrent && this.serving?.version.versionId !== versionId) this.serve(reading);
      },
      (error: unknown) => {
        const reason = error instanceof ProofFailed ? error.reason : errorLabel(error);
        this.on({ type: 'proof-failed', versionId, reason });
      },
    );
  }

  private serve(reading: Reading<Value>, bridges?: string): void {
    this.replace({ version: reading.version, freshAt: reading.beganAt, bridges });
  }

  private replace(next: Serving<Value>): void {
    const last = this.serving?.version;
    this.serving = next;
    if (last?.versionId === next.version.versionId) return;
    this.before = last;
    const { versionId } = next.version;
    const proven = this.prover.isProven(versionId);
    const stage = next.bridges === undefined ? 'AWSCURRENT' : 'AWSPENDING';
    this.on({ type: 'version-served', versionId, stage, proven });
    if (last !== undefined) for (const listener of this.listeners) this.tell(listener, next.version, proven);
  }

  private tell(
    listener: (change: NewVersion<Value>) => unknown,
    version: SecretVersion<Value>,
    proven: boolean,
  ): void {
    Promise.resolve()
      .then(() => listener({ version, proven }))
      .catch((error: unknown) => this.on({ type: 'hook-failed', error: errorLabel(error) }));
  }

  private async endOfOlderLogins(versionId: string): Promise<void> {
    // Whoever was just handed an older version begins its login within this turn.
    await new Promise((resolve) => setImmediate(resolve));
    const older = [...this.logins].filter((login) => login.versionId !== versionId);
    if (older.length === 0) return;
    const patience = new AbortController();
    const ended = Promise.all(older.map((login) => login.ended)).finally(() => patience.abort());
    await Promise.race([ended, sleep(this.clock, loginMs, patience.signal).catch(() => undefined)]);
  }

  private decline(versionId: string): void {
    this.declined = versionId;
    const { serving, before } = this;
    if (serving === undefined || before === undefined || serving.version.versionId !== versionId) return;
    this.replace({ version: before, freshAt: this.clock.now(), bridges: undefined });
  }

  private async recover(refused: string): Promise<SecretVersion<Value> | undefined> {
    const now = this.clock.now();
    if (this.serving !== undefined && this.serving.version.versionId !== refused) return this.get();
    if (this.fruitless?.versionId === refused && now < this.fruitless.until) return undefined;
    this.on({ type: 'login-refused', versionId: refused });
    if (this.serving?.bridges !== undefined) this.deadBridges.set(refused, now + deadBridgeMs);
    const current = await this.takeCurrent(refused);
    if (current !== undefined) return current;
    const pending = await this.reader.pending();
    if (pending !== undefined && this.mayBridge(pending, refused)) {
      this.serve(pending, refused);
      return pending.version;
    }
    // The label may have moved between the two looks.
    const moved = await this.takeCurrent(refused);
    if (moved === undefined) this.fruitless = { versionId: refused, until: this.clock.now() + fruitlessMs };
    return moved;
  }

  /** Serves AWSCURRENT, proved or not, if it is another version than the refused one. */
  private async takeCurrent(refused: string): Promise<SecretVersion<Value> | undefined> {
    const reading = await this.reader.current();
    this.note(reading);
    if (reading.version.versionId === refused) return undefined;
    if (this.isLatest(reading)) {
      this.declined = undefined;
      this.serve(reading);
    }
    return reading.version;
  }

  private mayBridge(pending: Reading<Value>, refused: string): boolean {
    const { versionId } = pending.version;
    const deadUntil = this.deadBridges.get(versionId);
    if (deadUntil !== undefined && deadUntil <= this.clock.now()) this.deadBridges.delete(versionId);
    return versionId !== refused && !this.deadBridges.has(versionId);
  }
}

function positiveMs(option: string, seconds: number): number {
  if (!(seconds > 0)) throw new OptionInvalid(`${option} must be above 0, not ${seconds}`);
  return seconds * 1_000;
}
