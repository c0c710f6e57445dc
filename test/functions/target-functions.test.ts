import { lambdaContext } from './lambda-environment';
import type { Labels } from '../../domain/labels';
import { handler as retire } from '../../functions/retire';
import { handler as setSecret } from '../../functions/set-secret';
import { handler as testSecret } from '../../functions/test-secret';
import { handler as usage } from '../../functions/usage';
import { AwsEndpoint, type StoredSecret } from './aws-endpoint';
import { collectLog, parsed } from './log-lines';
import { adminSecret, passwords, postgresSecret } from './postgres-secret';

// The target's port is closed: TargetUnreachable shows that the rotator was reached, and with which rotator's error.
let aws: AwsEndpoint;
let secret: StoredSecret;
let admin: StoredSecret;
const log = collectLog();
beforeAll(async () => (aws = await AwsEndpoint.listen()));
afterAll(async () => {
  log.restore();
  await aws.close();
});
beforeEach(() => {
  log.lines.length = 0;
  aws.clear();
  admin = aws.keep('admin', { a1: ['AWSCURRENT'] }, { a1: adminSecret });
  secret = aws.keep(
    'app',
    { old: ['AWSPREVIOUS', 'rotor-held'], new: ['AWSCURRENT', 'AWSPENDING'] },
    {
      old: postgresSecret({ masterarn: admin.arn }),
      new: postgresSecret({ masterarn: admin.arn, username: 'app_clone', password: passwords.pending }),
    },
  );
});

const common = () => ({
  secretArn: secret.arn,
  rotator: 'postgres-alternating',
  settings: {},
  admin: admin.arn,
});
/** Labels as they are before FinishSecret. */
const beforeFinish: Labels = { old: ['AWSCURRENT'], new: ['AWSPENDING'] };
const runs = {
  'set-secret': (changes: object = {}, labels: Labels = beforeFinish) => {
    secret.labels = labels;
    return setSecret(
      { ...common(), from: 'old', to: 'new', back: false, urgent: false, ...changes },
      lambdaContext('set-secret'),
    );
  },
  'test-secret': (changes: object = {}) =>
    testSecret({ ...common(), versionId: 'new', pending: true, ...changes }, lambdaContext('test-secret')),
  usage: (changes: object = {}) =>
    usage(
      { ...common(), versionId: 'old', since: '2026-01-01T00:00:00Z', watchSeconds: 0, ...changes },
      lambdaContext('usage'),
    ),
  retire: (changes: object = {}) =>
    retire(
      { ...common(), stop: 'old', keep: 'new', endSessions: false, ...changes },
      lambdaContext('retire'),
    ),
};

test.each(['set-secret', 'test-secret'] as const)(
  '%s forward is RotationAbandoned once AWSPENDING has left the version: another rotation may have its user',
  async (name) => {
    const labels: Labels = { old: ['AWSCURRENT'], new: [], other: ['AWSPENDING'] };
    secret.labels = labels;
    await expect(runs[name]({}, labels)).rejects.toMatchObject({ name: 'RotationAbandoned' });
    expect(aws.operations().every((operation) => operation === 'GetSecretValue')).toBe(true);
  },
);

test('set-secret forward is RotationAbandoned once AWSCURRENT has left the version that the rotation began with', async () => {
  const labels = { old: ['AWSPREVIOUS'], new: ['AWSPENDING'], manual: ['AWSCURRENT'] };
  await expect(runs['set-secret']({}, labels)).rejects.toMatchObject({ name: 'RotationAbandoned' });
  expect(aws.operations()).toEqual(['GetSecretValue']);
});

describe('retire', () => {
  test('it checks AWSCURRENT by the very read that fetches the credential to keep', async () => {
    await expect(runs.retire()).rejects.toMatchObject({ name: 'TargetUnreachable' });
    expect(
      aws.received.map(({ operation, input }) => [operation, input['VersionId'], input['VersionStage']]),
    ).toEqual([
      ['GetSecretValue', 'new', 'AWSCURRENT'],
      ['GetSecretValue', 'old', undefined],
      ['GetSecretValue', undefined, undefined],
    ]);
  });

  test.each([
    ['old', 'another version'],
    ['none', 'a version that does not exist'],
  ])('with AWSCURRENT on version %s it stops nothing: RotationAbandoned (%s)', async (keep) => {
    await expect(runs.retire({ keep })).rejects.toMatchObject({
      name: 'RotationAbandoned',
      message: `AWSCURRENT is no longer on version ${keep}`,
    });
    expect(aws.operations()).toEqual(['GetSecretValue']);
  });

  test('a version that never got a value has nothing to stop, and the log says so', async () => {
    secret.values.delete('old');
    await expect(runs.retire()).resolves.toEqual({ ended: [] });
    expect(parsed(log.lines)[0]).toEqual({
      level: 'warn',
      message: 'nothing to stop: the version has no value',
      secretArn: secret.arn,
      stop: 'old',
    });
  });

  test('two versions of one user are refused before the target is asked', async () => {
    secret.values.set('old', postgresSecret({ masterarn: admin.arn, username: 'app_clone' }));
    await expect(runs.retire()).rejects.toMatchObject({ name: 'SamePrincipal' });
  });

  test('an error of Secrets Manager that is no answer about the label passes by its own name', async () => {
    aws.failNext('GetSecretValue', 'AccessDeniedException');
    await expect(runs.retire()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

test.each(['set-secret', 'test-secret', 'usage'] as const)(
  '%s of a version without a value is PendingValueMissing, which is tried again',
  async (name) => {
    secret.values.clear();
    await expect(runs[name]()).rejects.toMatchObject({ name: 'PendingValueMissing' });
  },
);

test.each(['set-secret', 'usage', 'retire'] as const)(
  '%s without its admin is AdminMissing',
  async (name) => {
    await expect(runs[name]({ admin: 'nobody' })).rejects.toMatchObject({
      name: 'AdminMissing',
      message: 'admin secret nobody does not exist or has no value',
    });
  },
);

test.each(['set-secret', 'test-secret', 'usage', 'retire'] as const)(
  '%s with a rotator that does not exist is RotatorUnknown',
  async (name) => {
    await expect(runs[name]({ rotator: 'oracle' })).rejects.toMatchObject({ name: 'RotatorUnknown' });
  },
);

test('test-secret chooses the rotator by the secret where nobody has chosen, and reads no admin', async () => {
  await expect(runs['test-secret']({ rotator: null })).rejects.toMatchObject({ name: 'TargetUnreachable' });
  expect(aws.operations()).toEqual(['GetSecretValue']);
});

test('none of them moves a label or writes a value', async () => {
  for (const run of Object.values(runs)) await run().catch(() => undefined);
  expect(new Set(aws.operations())).toEqual(new Set(['GetSecretValue']));
});

test('neither the log nor an error holds a value, an event, or a message', async () => {
  const errors: unknown[] = [];
  for (const run of Object.values(runs)) {
    secret.labels = { old: ['AWSPREVIOUS'], new: ['AWSCURRENT', 'AWSPENDING'] };
    await run({ extra: 'event-text' }).catch((error: unknown) => errors.push(error));
  }
  const written = [
    ...log.lines,
    ...errors.map((error) => (error instanceof Error ? `${error.message} ${String(error.stack)}` : '')),
  ];
  expect(errors).toHaveLength(4);
  for (const value of Object.values(passwords)) expect(written.join('\n')).not.toContain(value);
  for (const line of parsed(log.lines))
    expect(line).toMatchObject({ level: 'error', message: 'failed', error: 'TargetUnreachable' });
  expect(log.lines.join('\n')).not.toMatch(/event-text|127\.0\.0\.1/);
});

test.each(Object.entries(runs))(
  '%s refuses an input without its fields by their names',
  async (name, run) => {
    await expect(run({ secretArn: undefined, rotator: 7 })).rejects.toMatchObject({
      name: 'InvocationMalformed',
      message: `${name}: wrong or missing: secretArn, rotator`,
    });
    expect(aws.received).toEqual([]);
  },
);
