import { lambdaContext } from './lambda-environment';
import { consumerParameter, secretPolicyParameter } from '../../domain/names';
import { handler } from '../../functions/plan';
import { AwsEndpoint } from './aws-endpoint';
import { collectLog } from './log-lines';

let aws: AwsEndpoint;
const log = collectLog();
const name = 'prod/app_1';
const secretArn = `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
beforeAll(async () => (aws = await AwsEndpoint.listen()));
afterAll(async () => {
  log.restore();
  await aws.close();
});
beforeEach(() => aws.clear());

const plan = (changes: object = {}) =>
  handler(
    {
      secretArn,
      versionId: 'v-token',
      previousVersionId: 'v-previous',
      heldVersionId: null,
      mode: 'rotate',
      ...changes,
    },
    lambdaContext('plan'),
  );
const policy = (value: object | string) =>
  aws.parameters.set(secretPolicyParameter(name), typeof value === 'string' ? value : JSON.stringify(value));
const consumer = (consumerName: string, value: object = {}) =>
  aws.parameters.set(consumerParameter(name, consumerName), JSON.stringify(value));

test('a secret that nobody enrolled is planned with every default and no consumer', async () => {
  await expect(plan()).resolves.toEqual({
    secret: { arn: secretArn, name },
    versionId: 'v-token',
    previousVersionId: 'v-previous',
    rotator: null,
    admin: null,
    settings: {},
    policy: {
      patienceSeconds: 600,
      replicaDeadlineSeconds: 900,
      pauseSeconds: 0,
      onRefusal: 'back',
      onSilence: 'hold',
      retire: 'stop',
      drain: { quietSeconds: 5, deadlineSeconds: 3600, openSessions: 'report' },
      password: { length: 32, excludeCharacters: '', require: ['lower', 'upper', 'digit'] },
      urgency: 'routine',
    },
    waves: [],
    informed: [],
    verifiers: [],
    quorums: [],
  });
});

test('policy and all consumers are read, over more pages than one', async () => {
  policy({ rotator: 'postgres-single', admin: 'my-admin', onRefusal: 'hold' });
  for (const each of ['web', 'batch', 'a/b', '__proto__', 'last']) consumer(each);
  await expect(plan()).resolves.toMatchObject({
    rotator: 'postgres-single',
    admin: 'my-admin',
    policy: { onRefusal: 'hold' },
    waves: [[{ name: '__proto__' }, { name: 'a/b' }, { name: 'batch' }, { name: 'last' }, { name: 'web' }]],
  });
  expect(aws.operations()).toEqual(['GetParametersByPath', 'GetParametersByPath', 'GetParametersByPath']);
});

test("another secret whose name begins alike is not this one's", async () => {
  aws.parameters.set('/rotor/secrets/prod_2fapp_5f1x/consumers/web', '{}');
  await expect(plan()).resolves.toMatchObject({ waves: [] });
});

test('who enrolled no account must answer from the one that Rotor runs in', async () => {
  consumer('near');
  consumer('far', { account: '444455556666' });
  await expect(plan()).resolves.toMatchObject({
    waves: [
      [
        { name: 'far', account: '444455556666' },
        { name: 'near', account: '111122223333' },
      ],
    ],
  });
});

test('while a version is held no rotation begins: PreviousStillHeld names version and label', async () => {
  await expect(plan({ heldVersionId: 'v-old' })).rejects.toMatchObject({
    name: 'PreviousStillHeld',
    message: `version v-old of ${name} carries rotor-held: somebody may still use it`,
  });
});

test('a test alone changes nothing, so a held version is no hindrance', async () => {
  await expect(plan({ heldVersionId: 'v-old', mode: 'test' })).resolves.toMatchObject({
    versionId: 'v-token',
  });
});

test('following sets and stops nothing, so a held version is no hindrance', async () => {
  await expect(plan({ heldVersionId: 'v-old', mode: 'follow' })).resolves.toMatchObject({
    versionId: 'v-token',
    previousVersionId: 'v-previous',
  });
});

test('following cuts nobody off, whatever the policy says of rotations', async () => {
  policy({ urgency: 'compromised' });
  for (const [name, wave] of [
    ['first', 1],
    ['second', 2],
  ] as const)
    consumer(name, { wave });
  await expect(plan({ mode: 'follow' })).resolves.toMatchObject({
    policy: { urgency: 'routine' },
    waves: [[{ name: 'first', required: true }], [{ name: 'second', required: true }]],
  });
});

test('a wrong policy is refused with parameter and field', async () => {
  policy({ onRefusel: 'back' });
  await expect(plan()).rejects.toMatchObject({
    name: 'PolicyInvalid',
    message: 'parameter /rotor/secrets/prod_2fapp_5f1/policy: unknown field onRefusel',
  });
});

test('a policy that is no JSON is refused without its text', async () => {
  policy('hunter2');
  await expect(plan()).rejects.toMatchObject({
    name: 'PolicyInvalid',
    message: 'parameter /rotor/secrets/prod_2fapp_5f1/policy is not JSON',
  });
});

test("a consumer's wrong enrolment is refused with parameter and field", async () => {
  consumer('a/b', { wave: 0 });
  await expect(plan()).rejects.toMatchObject({
    name: 'PolicyInvalid',
    message: 'parameter /rotor/secrets/prod_2fapp_5f1/consumers/a_2fb: field wave: must be at least 1',
  });
});

test.each([
  ['my_adapter', 'my_5fadapter'],
  ['job_41', 'job_5f41'],
])('a consumer enrolled as %s by hand is refused with how it is written', async (level, written) => {
  aws.parameters.set(`/rotor/secrets/prod_2fapp_5f1/consumers/${level}`, '{}');
  await expect(plan()).rejects.toMatchObject({
    name: 'PolicyInvalid',
    message: `parameter /rotor/secrets/prod_2fapp_5f1/consumers/${level}: consumer ${level} is written ${written}`,
  });
});

test('what the plan answers fits a workflow payload with 500 consumers', async () => {
  for (let index = 0; index < 500; index++)
    consumer(`application-number-${index}`, { owner: 'team', wave: 1 + (index % 5) });
  expect(JSON.stringify(await plan()).length).toBeLessThan(256 * 1024);
});
