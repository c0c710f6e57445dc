import { inspect } from 'node:util';
import type { ClientEvent } from '../../client/client-event';
import { OptionInvalid } from '../../client/errors';
import { RotatingSecret, type RotatingSecretOptions } from '../../client/rotating-secret';
import type { SecretMembers } from '../../client/secret-version';
import { VirtualClock } from '../../local/kernel/clock';
import { FakeSecretsManager } from './fake-secrets-manager';
import { pass, passUntil, settled } from './virtual-time';

const refusal = () => Object.assign(new Error('password authentication failed'), { code: '28P01' });

function prepare(
  options: Partial<RotatingSecretOptions> & { prove?: (value: SecretMembers) => Promise<void> } = {},
) {
  const clock = new VirtualClock();
  const aws = new FakeSecretsManager(clock);
  aws.put('v1', { username: 'app', password: 'first-password' }, 'AWSCURRENT');
  const events: ClientEvent[] = [];
  const secret = RotatingSecret.json({
    secretId: 'shop/db',
    secretsManager: aws,
    clock,
    on: (event) => events.push(event),
    ...options,
  });
  /** A target that accepts these passwords only. */
  const target = { accepts: ['first-password'], logins: 0 };
  const query = () =>
    secret.withCredential(async ({ value, versionId }) => {
      target.logins++;
      await Promise.resolve();
      if (!target.accepts.includes(String(value['password']))) throw refusal();
      return versionId;
    });
  return { clock, aws, secret, events, target, query };
}

describe('a login under way', () => {
  const underWay = async () => {
    const { clock, aws, secret } = prepare();
    let end = (): void => undefined;
    const login = secret.withCredential(() => new Promise<void>((resolve) => (end = resolve)));
    await settled();
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    const ended: string[] = [];
    const loaded = secret.load().then(({ versionId }) => ended.push(versionId));
    await settled();
    return { clock, secret, end: () => end(), login, loaded, ended };
  };

  test('with the version before is waited for: what it names may be stopped as soon as the new one is acknowledged', async () => {
    const { secret, end, login, loaded, ended } = await underWay();
    expect((await secret.get()).versionId).toBe('v2');
    expect(ended).toEqual([]);
    end();
    await Promise.all([login, loaded]);
    expect(ended).toEqual(['v2']);
  });

  test('is waited for 10 s at most', async () => {
    const { clock, end, login, ended } = await underWay();
    await pass(clock, 9_999);
    expect(ended).toEqual([]);
    await pass(clock, 1);
    await settled();
    expect(ended).toEqual(['v2']);
    end();
    await login;
  });
});

describe('the cache', () => {
  test('a hundred callers at once cause one read', async () => {
    const { aws, secret } = prepare();
    const versions = await Promise.all(Array.from({ length: 100 }, () => secret.get()));
    expect(new Set(versions.map(({ versionId }) => versionId))).toEqual(new Set(['v1']));
    expect(versions[0]?.value).toEqual({ username: 'app', password: 'first-password' });
    expect(aws.reads).toEqual(['AWSCURRENT']);
  });

  test('a look that was frozen with its Lambda environment keeps nobody waiting after the thaw', async () => {
    const { clock, aws, secret } = prepare();
    // While a Lambda environment is frozen the wall clock goes on, and neither timers nor connections do.
    const frozen = { ms: 0 };
    const now = clock.now.bind(clock);
    clock.now = () => now() + frozen.ms;
    await secret.get();
    await pass(clock, 40_000);
    const look = aws.getSecretValue.bind(aws);
    aws.getSecretValue = () => new Promise(() => undefined);
    await secret.get();
    frozen.ms = 300_000;
    aws.getSecretValue = look;
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    expect((await secret.get()).versionId).toBe('v2');
  });

  test('a young value is handed out without a look, an older one is looked at in the background', async () => {
    const { clock, aws, secret } = prepare();
    await secret.get();
    await pass(clock, 29_999);
    await secret.get();
    expect(aws.reads).toHaveLength(1);
    await pass(clock, 1);
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    expect((await secret.get()).versionId).toBe('v1');
    await settled();
    expect((await secret.get()).versionId).toBe('v2');
    expect(aws.reads).toHaveLength(2);
  });

  test('a value that has reached its age is never handed out without a look', async () => {
    const { clock, aws, secret } = prepare({ lookAfterSeconds: 60 });
    await secret.get();
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    await pass(clock, 59_999);
    expect((await secret.get()).versionId).toBe('v1');
    await pass(clock, 1);
    expect((await secret.get()).versionId).toBe('v2');
  });

  test('ages count from the beginning of the look, however long its answer took', async () => {
    const { clock, aws, secret } = prepare({ lookAfterSeconds: 60 });
    aws.latencyMs = 9_000;
    await passUntil(clock, secret.get());
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    await pass(clock, 51_000);
    expect((await passUntil(clock, secret.get())).versionId).toBe('v2');
  });

  test('ages count from the beginning of a look that confirms a value, too', async () => {
    const { clock, aws, secret } = prepare();
    await secret.get();
    await pass(clock, 30_000);
    aws.latencyMs = 9_000;
    await secret.get();
    await pass(clock, 9_000);
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    aws.latencyMs = 0;
    // The look began at 30 s, so that at 90 s the value that it confirmed is too old, whatever goes on besides.
    aws.failure = 'InternalServiceError';
    await pass(clock, 50_999);
    expect((await secret.get()).versionId).toBe('v1');
    await pass(clock, 1);
    await expect(secret.get()).rejects.toMatchObject({ name: 'SecretUnavailable' });
  });

  test('looks that take longer than the age limit give nothing to hand out', async () => {
    const { clock, aws, secret } = prepare({ maxAgeSeconds: 2 });
    aws.latencyMs = 5_000;
    await expect(passUntil(clock, secret.get())).rejects.toMatchObject({
      name: 'SecretUnavailable',
      message: 'reading the secret takes longer than maxAgeSeconds',
    });
  });

  test('a clock that was set back makes a value too old', async () => {
    const clock = new VirtualClock();
    let offset = 0;
    const { aws, secret } = prepare({
      clock: { now: () => clock.now() + offset, after: () => ({ cancel: () => undefined }) },
    });
    await secret.get();
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    offset = -3_600_000;
    expect((await secret.get()).versionId).toBe('v2');
  });

  test('failing looks are bridged up to the age limit and not a moment longer', async () => {
    const { clock, aws, secret, events } = prepare();
    await secret.get();
    aws.failure = 'InternalServiceError';
    await pass(clock, 59_999);
    expect((await secret.get()).versionId).toBe('v1');
    await settled();
    expect(events).toContainEqual({ type: 'look-failed', error: 'SecretUnavailable' });
    await pass(clock, 1);
    await expect(secret.get()).rejects.toMatchObject({
      name: 'SecretUnavailable',
      message: 'cannot read AWSCURRENT of secret shop/db: InternalServiceError',
    });
    aws.failure = undefined;
    expect((await secret.get()).versionId).toBe('v1');
  });

  test('a look without an answer ends by its time limit', async () => {
    const { clock, aws, secret } = prepare();
    aws.latencyMs = 3_600_000;
    await expect(passUntil(clock, secret.get())).rejects.toMatchObject({ name: 'SecretUnavailable' });
    expect(clock.now()).toBe(Date.UTC(2026, 0, 1) + 10_000);
  });

  test('a caller can give up, and the others still get their answer', async () => {
    const { clock, aws, secret } = prepare();
    aws.latencyMs = 5_000;
    const controller = new AbortController();
    const impatient = secret.get({ signal: controller.signal });
    const patient = secret.get();
    controller.abort(new Error('no time'));
    await expect(impatient).rejects.toThrow('no time');
    expect((await passUntil(clock, patient)).versionId).toBe('v1');
  });

  test('a late answer of an earlier look does not undo what a later look found', async () => {
    const { clock, aws, secret } = prepare();
    await secret.get();
    await pass(clock, 30_000);
    aws.latencyMs = 5_000;
    await secret.get();
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    aws.latencyMs = 0;
    await secret.load();
    await pass(clock, 5_000);
    expect((await secret.get()).versionId).toBe('v2');
  });

  test('a text that is no JSON object is refused without being quoted', async () => {
    const { aws, secret } = prepare();
    aws.put('v1', 'my-plain-password', 'AWSCURRENT');
    const error: unknown = await secret.get().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'SecretUnreadable' });
    expect(inspect(error)).not.toContain('my-plain-password');
  });

  test('the parser of the application replaces JSON, and its error is not quoted', async () => {
    const { clock, aws } = prepare();
    aws.put('v1', 'user:pass-word', 'AWSCURRENT');
    const options = { secretId: 'shop/db', secretsManager: aws, clock };
    const pair = RotatingSecret.parsedBy((text) => text.split(':'), options);
    expect((await pair.get()).value).toEqual(['user', 'pass-word']);
    const picky = RotatingSecret.parsedBy<string>((text) => {
      throw new TypeError(`cannot use ${text}`);
    }, options);
    const error: unknown = await picky.get().catch((reason: unknown) => reason);
    expect(inspect(error)).not.toContain('pass-word');
    expect(error).toMatchObject({ message: 'version v1 of secret shop/db: TypeError' });
  });

  test('neither console.log nor JSON shows a value', async () => {
    const { secret } = prepare();
    const version = await secret.get();
    expect(inspect(version, { depth: 9, showHidden: true })).not.toContain('first-password');
    expect(inspect(secret, { depth: 9, showHidden: true })).not.toContain('first-password');
    expect(JSON.stringify(version)).toBe('{"versionId":"v1"}');
  });

  test.each([0, -1, Number.NaN])('a maxAgeSeconds of %p is refused', (maxAgeSeconds) => {
    expect(() => prepare({ maxAgeSeconds })).toThrow(OptionInvalid);
  });
});

describe('a refused login', () => {
  test('a hundred refusals at once cause one read of AWSCURRENT, and all of them succeed', async () => {
    const { aws, secret, target, query } = prepare();
    await secret.get();
    aws.put('v2', { username: 'app', password: 'second-password' }, 'AWSCURRENT');
    target.accepts = ['second-password'];
    const results = await Promise.all(Array.from({ length: 100 }, query));
    expect(new Set(results)).toEqual(new Set(['v2']));
    expect(aws.reads).toEqual(['AWSCURRENT', 'AWSCURRENT']);
    expect(target.logins).toBe(200);
  });

  test('an error that is no refusal goes to the caller, and nothing is read', async () => {
    const { aws, secret } = prepare();
    const failure = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
    await expect(secret.withCredential(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(aws.reads).toHaveLength(1);
  });

  test('AWSPENDING bridges the gap in which AWSCURRENT does not work yet, until the label moves', async () => {
    const { clock, aws, secret, target, query, events } = prepare();
    await secret.get();
    aws.put('v2', { username: 'app', password: 'second-password' }, 'AWSPENDING');
    target.accepts = ['second-password'];
    expect(new Set(await Promise.all(Array.from({ length: 100 }, query)))).toEqual(new Set(['v2']));
    expect(aws.reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPENDING']);
    expect(events).toContainEqual({
      type: 'version-served',
      versionId: 'v2',
      stage: 'AWSPENDING',
      proven: true,
    });
    const logins = target.logins;
    await query();
    expect(target.logins).toBe(logins + 1);
    aws.move('AWSCURRENT', 'v2');
    await pass(clock, 60_000);
    expect(await query()).toBe('v2');
    expect(aws.reads.slice(3)).toEqual(['AWSCURRENT']);
  });

  test('the bridge is left within seconds when AWSPENDING moves away, since the rotation went back', async () => {
    const { clock, aws, secret, target, query } = prepare();
    await secret.get();
    aws.put('v2', { username: 'app', password: 'second-password' }, 'AWSPENDING');
    target.accepts = ['second-password'];
    await query();
    aws.move('AWSPENDING', undefined);
    await pass(clock, 5_000);
    await secret.get();
    await settled();
    expect((await secret.get()).versionId).toBe('v1');
  });

  test('a bridge that is refused too leads back to AWSCURRENT', async () => {
    const { aws, secret, target, query } = prepare();
    await secret.get();
    aws.put('v2', { username: 'app', password: 'second-password' }, 'AWSPENDING');
    target.accepts = ['second-password'];
    await query();
    target.accepts = ['first-password'];
    expect(await query()).toBe('v1');
  });

  test('a label that moves between the two looks is followed', async () => {
    const { aws, secret, target, query } = prepare();
    await secret.get();
    aws.put('v2', { username: 'app', password: 'second-password' });
    target.accepts = ['second-password'];
    const look = aws.getSecretValue.bind(aws);
    aws.getSecretValue = (input) => {
      const answer = look(input);
      if (aws.reads.length === 2) aws.move('AWSCURRENT', 'v2');
      return answer;
    };
    expect(await query()).toBe('v2');
    expect(aws.reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPENDING', 'AWSCURRENT']);
  });

  test('where nothing helps the caller gets the refusal, after few logins, and the reads are bounded', async () => {
    const { clock, aws, secret, target, query, events } = prepare();
    await secret.get();
    aws.put('v2', { username: 'app', password: 'second-password' }, 'AWSPENDING');
    target.accepts = [];
    await expect(query()).rejects.toMatchObject({ code: '28P01' });
    expect(target.logins).toBe(3);
    const reads = aws.reads.length;
    for (let call = 0; call < 50; call++) await expect(query()).rejects.toMatchObject({ code: '28P01' });
    expect(aws.reads).toHaveLength(reads);
    await pass(clock, 6_000);
    target.accepts = ['second-password'];
    expect(await query()).toBe('v2');
    expect(events.filter(({ type }) => type === 'login-refused').length).toBeGreaterThan(0);
  });

  test('where the labels cannot be read the caller gets the refusal', async () => {
    const { aws, secret, target, query, events } = prepare();
    await secret.get();
    target.accepts = [];
    aws.failure = 'InternalServiceError';
    await expect(query()).rejects.toMatchObject({ code: '28P01' });
    expect(events).toContainEqual({ type: 'look-failed', error: 'SecretUnavailable' });
  });

  test('an AWSPENDING that may not be read is no bridge and no failure', async () => {
    const { aws, secret, target, query } = prepare();
    await secret.get();
    target.accepts = [];
    const look = aws.getSecretValue.bind(aws);
    aws.getSecretValue = (input, options) =>
      input.VersionStage === 'AWSPENDING'
        ? Promise.reject(Object.assign(new Error('no'), { name: 'AccessDeniedException' }))
        : look(input, options);
    await expect(query()).rejects.toMatchObject({ code: '28P01' });
  });
});

describe('the proof', () => {
  test('a version that the application cannot use is not served before the old one reaches its age', async () => {
    const proofs: unknown[] = [];
    const { clock, aws, secret, events } = prepare({
      prove: async ({ password }) => {
        proofs.push(password);
        if (password === 'second') throw new Error('permission denied for table orders');
      },
    });
    await secret.get();
    await pass(clock, 30_000);
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    await secret.get();
    await pass(clock, 29_999);
    expect((await secret.get()).versionId).toBe('v1');
    expect(proofs).toEqual(['second', 'second', 'second']);
    expect(events).toContainEqual({
      type: 'proof-failed',
      versionId: 'v2',
      reason: 'Error: permission denied for table orders',
    });
    await pass(clock, 1);
    expect((await secret.get()).versionId).toBe('v2');
  });

  test('a new version is served as soon as it is proved, and listeners are told', async () => {
    const { clock, aws, secret, events } = prepare({ prove: async () => undefined });
    const changes: unknown[] = [];
    const stop = secret.onNewVersion(({ version, proven }) => changes.push([version.versionId, proven]));
    await secret.get();
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    await pass(clock, 30_000);
    await secret.get();
    await settled();
    expect((await secret.get()).versionId).toBe('v2');
    expect(changes).toEqual([['v2', true]]);
    stop();
    secret.onNewVersion(() => Promise.reject(new TypeError('listener')));
    aws.put('v3', { password: 'third' }, 'AWSCURRENT');
    await secret.load();
    await settled();
    expect(changes).toHaveLength(1);
    expect(events).toContainEqual({ type: 'hook-failed', error: 'TypeError' });
  });

  test('a proof that never ends counts as failed', async () => {
    const { clock, aws, secret } = prepare({ prove: () => new Promise(() => undefined) });
    await secret.get();
    aws.put('v2', { password: 'second' }, 'AWSCURRENT');
    await expect(passUntil(clock, secret.load())).rejects.toMatchObject({
      name: 'ProofFailed',
      reason: 'Error: the proof did not end within 30000 ms',
    });
  });

  test('a refused version is left again if it was served, and taken only if the old one no longer works', async () => {
    const { clock, aws, secret, target, query } = prepare({
      prove: async ({ password }) => {
        if (password === 'second-password') throw new Error('no');
      },
    });
    await secret.get();
    aws.put('v2', { username: 'app', password: 'second-password' }, 'AWSCURRENT');
    await pass(clock, 60_000);
    expect((await secret.get()).versionId).toBe('v2');
    await expect(passUntil(clock, secret.load())).rejects.toMatchObject({
      name: 'ProofFailed',
      versionId: 'v2',
    });
    expect((await secret.get()).versionId).toBe('v1');
    await pass(clock, 600_000);
    expect((await secret.get()).versionId).toBe('v1');
    target.accepts = ['second-password'];
    expect(await query()).toBe('v2');
  });
});
