import { Duration } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AdapterConsumer } from '../../infra/adapter-consumer';
import { checkSchedule, checkSecretName } from '../../infra/checks';
import type { RotatedSecretProps, RotationWindow } from '../../infra/rotated-secret';
import { RotationConsumer } from '../../infra/rotation-consumer';
import type { RotatorName } from '../../rotators/registry';
import { orchestratorIn, rotatedSecretIn, stack } from './templates';

const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/db-AbCdEf';

describe('a rotated secret says what is wrong with', () => {
  test.each<[string, Partial<RotatedSecretProps>, RegExp]>([
    [
      'a rotator that there is not',
      // What an app without types may hand over.
      { rotator: 'postgress' as RotatorName },
      /^Stack\/Rotated: there is no rotator postgress; there are postgres-alternating, /,
    ],
    [
      'a name that is an ARN',
      { secretName: secretArn },
      /secretName must be the secret's name and not its ARN: "shop\/db"/,
    ],
    [
      'another name than the secret’s',
      { secretName: 'shop/dbb', secret: { secretArn } },
      /secretName is shop\/dbb, but the secret is arn:aws/,
    ],
    [
      'a name that no secret has',
      { secretName: 'shop db' },
      /secretName "shop db" cannot be a secret's name/,
    ],
    [
      'no schedule',
      { schedule: undefined as unknown as RotationWindow },
      /Stack\/Rotated: schedule is missing/,
    ],
  ])('%s', (_, props, message) => {
    const scope = stack();
    expect(() => rotatedSecretIn(scope, orchestratorIn(scope), props)).toThrow(message);
  });

  test('an admin that is the secret itself', () => {
    const scope = stack();
    const secret = new Secret(scope, 'Own', { secretName: 'team/app' });
    expect(() => rotatedSecretIn(scope, orchestratorIn(scope), { secret, admin: secret })).toThrow(
      /AdminIsTheSecret/,
    );
  });
});

test.each(['rate(30 days)', 'rate(1 day)', 'rate(4 hours)', 'cron(0 3 ? * SUN *)', 'cron(0 8 1 1/2 ? *)'])(
  'the schedule %s is taken',
  (expression) => expect(() => checkSchedule(stack(), { expression })).not.toThrow(),
);

test.each([
  'every sunday',
  'cron(0 3 * * 0)',
  'cron(30 3 ? * SUN *)',
  'rate(5 minutes)',
  'rate(3 hours)',
  'rate(1000 days)',
  'rate(0 days)',
])('the schedule %s is refused with those that there are', (expression) =>
  expect(() => checkSchedule(stack(), { expression })).toThrow(/^Stack: schedule ".*" is neither rate\(4 to/),
);

test.each([Duration.minutes(30), Duration.minutes(90), Duration.hours(40)])(
  'a window of %s is refused, and a whole hour is shown',
  (duration) =>
    expect(() => checkSchedule(stack(), { expression: 'rate(1 day)', duration })).toThrow(
      /Duration\.hours\(4\)/,
    ),
);

test.each([secretArn, secretArn.replace('-AbCdEf', ''), undefined])('the name goes with the ARN %s', (arn) =>
  expect(() => checkSecretName(stack(), 'shop/db', arn)).not.toThrow(),
);

test.each(['', 'orders team!', 'x'.repeat(129)])('no application is called %p', (consumer) => {
  const props = { consumer, secretName: 'shop/db', target: { kind: 'queue' } } as const;
  expect(() => new RotationConsumer(stack(), 'Orders', props)).toThrow(
    /^Stack\/Orders: consumer ".*" cannot be an application's name/,
  );
});

test.each(['', 'wiki page', 'ftp://example.com/errors'])('no page is at %p', (runbookUrl) =>
  expect(() => orchestratorIn(stack(), { runbookUrl })).toThrow(
    /^Stack\/Rotor: runbookUrl ".*" must be the URL/,
  ),
);

test('an orchestrator names the rotator that there is not', () =>
  expect(() =>
    orchestratorIn(stack(), { rotators: ['postgres-single', 'postgress' as RotatorName] }),
  ).toThrow(/^Stack\/Rotor: there is no rotator postgress; /));

test('an adapter that there is not is refused with those that there are', () => {
  const props = {
    consumer: 'web',
    secretName: 'shop/db',
    adapter: 'ec2' as 'ecs',
    settings: { service: '' },
  };
  expect(() => new AdapterConsumer(stack(), 'Web', props)).toThrow(
    /^Stack\/Web: there is no adapter ec2; there are ecs, /,
  );
});
