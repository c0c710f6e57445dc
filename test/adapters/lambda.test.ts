import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { differences } from '../../adapters/lambda/configuration';
import { rollOutMark } from '../../adapters/mark';
import { adapterContract, rolledOut } from './contract';
import { type LambdaCounterpart, type LambdaOptions, openLambdaCounterpart } from './lambda-counterpart';

adapterContract('lambda', () => openLambdaCounterpart());

const version = rolledOut('11111111-1111-4111-8111-111111111111');
const signal = () => new AbortController().signal;

describe('a function behind an alias', () => {
  adapterContract('lambda', () => openLambdaCounterpart({ alias: 'live' }));
});

describe('the adapter for Lambda functions', () => {
  let counterpart: LambdaCounterpart | undefined;
  const open = async (options?: LambdaOptions) => (counterpart = await openLambdaCounterpart(options));
  afterEach(() => counterpart?.stop());

  async function end(fn: LambdaCounterpart) {
    for (let passes = 0; passes < 40; passes++) {
      const progress = await fn.open().look(version, signal());
      if (progress.state !== 'working') return progress;
      await fn.pass();
    }
    throw new Error('the roll-out has no end');
  }

  test.each([undefined, 'live'])(
    'callers of alias %s get new environments, with all other variables',
    async (alias) => {
      const fn = await open(alias === undefined ? {} : { alias });
      expect((await fn.invoke()).count).toBe(1);
      expect((await fn.invoke()).count).toBe(2);
      await fn.open().begin(version, signal());
      expect(await end(fn)).toEqual({ state: 'done' });
      expect(await fn.invoke()).toEqual({ count: 1, mark: rollOutMark(version), kept: fn.secrets[0] });
    },
  );

  test('a change of the team that comes between reading and writing is kept', async () => {
    const fn = await open();
    const team = fn.call('UpdateFunctionConfiguration', { Timeout: 10 });
    await Promise.all([team, fn.open().begin(version, signal())]);
    expect(await end(fn)).toEqual({ state: 'done' });
    expect(await fn.call('GetFunctionConfiguration')).toMatchObject({
      Timeout: 10,
      Environment: { Variables: { KEPT: fn.secrets[0], ROTOR_SECRET_VERSION: rollOutMark(version) } },
    });
  });

  test('what the team has not released is not released by a rotation', async () => {
    const fn = await open({ alias: 'live' });
    await fn.call('UpdateFunctionConfiguration', { MemorySize: 512 });
    await fn.pass();
    const begun = fn.open().begin(version, signal());
    await expect(begun).rejects.toMatchObject({ name: 'LatestDiffers', permanent: true });
    await expect(begun).rejects.toThrow('(MemorySize)');
    expect(await fn.acts()).toBe(0);
  });

  test('an alias that divides its callers is refused by name', async () => {
    const fn = await open({ alias: 'live' });
    await fn.call('UpdateFunctionConfiguration', { Description: 'two' });
    await fn.pass();
    await fn.call('PublishVersion');
    await fn.call('UpdateAlias', { Name: 'live', RoutingConfig: { AdditionalVersionWeights: { 1: 0.1 } } });
    await expect(fn.open().begin(version, signal())).rejects.toMatchObject({
      name: 'AliasWeighted',
      permanent: true,
    });
  });

  test('behind an alias a failed update moves nobody, is made once, and is told', async () => {
    const fn = await open({ alias: 'live' });
    await fn.breakDown();
    await fn.open().begin(version, signal());
    expect(await fn.acts()).toBe(1);
    expect(await fn.open().look(version, signal())).toEqual({
      state: 'refused',
      reason: 'UpdateFailed: InvalidSecurityGroup: The security group is gone.',
    });
    expect(await fn.call('GetAlias', { Name: 'live' })).toMatchObject({ FunctionVersion: '1' });
  });

  test.each([undefined, 'live'])(
    'after a refusal the function of alias %s is changed once more when it is asked again',
    async (alias) => {
      const fn = await open(alias === undefined ? {} : { alias });
      await fn.breakDown();
      await fn.open().begin(version, signal());
      expect(await end(fn)).toMatchObject({ state: 'refused' });
      fn.repair();
      await fn.open().begin(version, signal());
      await fn.open().begin(version, signal());
      expect(await end(fn)).toEqual({ state: 'done' });
      expect(await fn.acts()).toBe(2);
    },
  );

  test('two secrets that are rotated at the same time do not refuse each other', async () => {
    const fn = await open({ alias: 'live' });
    const other = { ...version, secret: { ...version.secret, arn: `${version.secret.arn}2` } };
    fn.loseAnswer();
    // $LATEST has the variable of the first secret, and no version has it yet.
    await expect(fn.open().begin(version, signal())).rejects.toThrow();
    await fn.openFor('OTHER_VERSION').begin(other, signal());
    expect(await fn.call('GetAlias', { Name: 'live' })).toMatchObject({ FunctionVersion: '2' });
    await fn.open().begin(version, signal());
    expect(await end(fn)).toEqual({ state: 'done' });
    expect(await fn.acts()).toBe(2);
    expect((await fn.invoke()).mark).toBe(rollOutMark(version));
  });

  test('an alias that is moved long after its version was published counts from then', async () => {
    const fn = await open({ alias: 'live', timeout: 300 });
    const adapter = fn.open();
    fn.loseAnswer();
    await expect(adapter.begin(version, signal())).rejects.toThrow();
    await fn.passSeconds(10);
    fn.loseAnswer();
    await expect(adapter.begin(version, signal())).rejects.toThrow();
    expect(await fn.call('GetAlias', { Name: 'live' })).toMatchObject({ FunctionVersion: '1' });
    await fn.passSeconds(400);
    await adapter.begin(version, signal());
    expect(await adapter.look(version, signal())).toEqual({ state: 'working' });
    await fn.passSeconds(301);
    expect(await adapter.look(version, signal())).toEqual({ state: 'done' });
  });

  test('two at once change the function once', async () => {
    const fn = await open({ alias: 'live' });
    await Promise.all([fn.open().begin(version, signal()), fn.open().begin(version, signal())]);
    expect(await fn.acts()).toBe(1);
    expect(await fn.call('GetAlias', { Name: 'live' })).toMatchObject({ FunctionVersion: '2' });
  });
});

describe('what $LATEST may not have otherwise than the version', () => {
  const same: FunctionConfiguration = {
    SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' },
    Environment: { Variables: { OTHER: rollOutMark(version), OWN: 'own', KEPT: 'kept' } },
  };
  const changed: Readonly<Record<string, FunctionConfiguration>> = {
    ImageConfigResponse: { ImageConfigResponse: { ImageConfig: { Command: ['other.handler'] } } },
    FileSystemConfigs: { FileSystemConfigs: [{ Arn: 'arn:access-point', LocalMountPath: '/mnt/other' }] },
    KMSKeyArn: { KMSKeyArn: 'arn:key' },
    TracingConfig: { TracingConfig: { Mode: 'Active' } },
    LoggingConfig: { LoggingConfig: { LogGroup: 'other' } },
    SnapStart: { SnapStart: { ApplyOn: 'None' } },
    Environment: { Environment: { Variables: { KEPT: rollOutMark(version) } } },
  };

  test.each(Object.keys(changed))('%s', (name) => {
    expect(differences({ ...same, ...changed[name] }, same, 'OWN')).toEqual([name]);
  });

  test('marks of roll-outs, and whether a snapshot was taken, are no difference', () => {
    const Variables = { OTHER: rollOutMark({ ...version, rotationId: 'rotation-2' }), KEPT: 'kept' };
    const SnapStart = { ApplyOn: 'PublishedVersions', OptimizationStatus: 'On' } as const;
    expect(differences({ SnapStart, Environment: { Variables } }, same, 'OWN')).toEqual([]);
    expect(differences({ SnapStart, Environment: { Variables: { KEPT: 'kept' } } }, same, 'OWN')).toEqual([]);
  });
});
