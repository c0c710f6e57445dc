import { createAuthorize } from '../../../local/iam/authorize';
import { RoleStore } from '../../../local/iam/role-store';
import { VirtualClock } from '../../../local/kernel/clock';
import { ServiceError, type Call, type Principal } from '../../../local/kernel/service';
import { createSystemsManager } from '../../../local/ssm/systems-manager';
import { pass, settle } from '../gateway/stage';

const account = '111122223333';
const trustPolicy = {
  Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
};
const web = (count: number) => Array.from({ length: count }, (_, index) => `i-0000000${index + 1}`);
const script = { DocumentName: 'AWS-RunShellScript', Parameters: { commands: ['systemctl reload app'] } };

interface Listed {
  readonly CommandId: string;
  readonly Status: string;
  readonly StatusDetails: string;
  readonly [member: string]: unknown;
}

function createWorld() {
  const clock = new VirtualClock();
  const where = { account, region: 'us-east-1', partition: 'aws', clock };
  const roles = new RoleStore(where);
  const service = createSystemsManager({
    ...where,
    authorize: createAuthorize({ ...where, roles }),
    callService: () => Promise.reject(new Error('this world has one service')),
  });
  const world = {
    clock,
    fleet: service.fleet,
    stop: service.stop,
    role(...statements: object[]): Principal {
      const policies = { policy: { Statement: statements } };
      const arn = roles.put({ name: 'app', trustPolicy, ...(statements.length > 0 && { policies }) });
      return roles.assume(arn, 'lambda.amazonaws.com', 'run').principal;
    },
    async run(op: string, input: object, as: Principal = roles.operator.principal) {
      const operation = service.operations[op];
      if (operation === undefined) throw new Error(`no operation ${op}`);
      const call: Call = { principal: as, requestId: 'r', userAgent: 'u', conditions: {} };
      return (await operation({ ...input }, call)) as Readonly<Record<string, unknown>>;
    },
    async refusal(op: string, input: object, as?: Principal) {
      try {
        await world.run(op, input, as);
        return 'no error';
      } catch (error) {
        if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
        throw error;
      }
    },
    async send(input: object, as?: Principal): Promise<string> {
      const { Command } = await world.run('SendCommand', { ...script, ...input }, as);
      return (Command as Listed).CommandId;
    },
    async command(CommandId: string) {
      const { Commands } = await world.run('ListCommands', { CommandId });
      return (Commands as readonly Listed[])[0];
    },
    async invocations(CommandId: string) {
      const { CommandInvocations } = await world.run('ListCommandInvocations', { CommandId });
      return (CommandInvocations as readonly (Listed & { InstanceId: string })[]).map(
        ({ InstanceId, StatusDetails }) => `${InstanceId} ${StatusDetails}`,
      );
    },
    /** Lets the clock run until the command has ended, and answers it. */
    async ended(CommandId: string): Promise<Listed> {
      let last: Listed | undefined;
      const isOver = async () => {
        for (;;) {
          last = await world.command(CommandId);
          if (last !== undefined && !['Pending', 'InProgress'].includes(last.Status)) return;
          await new Promise(setImmediate);
        }
      };
      await settle(clock, isOver());
      if (last === undefined) throw new Error('no command');
      return last;
    },
  };
  return world;
}

/** Instances with the tag role=web; those of `failing` answer exit code 1. */
function fleetOf(count: number, failing: readonly string[] = []) {
  const world = createWorld();
  const ran: string[] = [];
  for (const instanceId of web(count))
    world.fleet.put({
      instanceId,
      tags: { role: 'web', zone: instanceId.endsWith('1') ? 'a' : 'b' },
      run: ({ parameters }) => {
        ran.push(`${instanceId} ${parameters['commands']?.join(';') ?? ''}`);
        return failing.includes(instanceId) ? 1 : 0;
      },
    });
  return { ...world, ran };
}

const byTag = (...Values: string[]) => ({ Targets: [{ Key: 'tag:role', Values }] });

describe('a command', () => {
  test('to instances by id is pending, runs at each of them, and ends as Success', async () => {
    const world = fleetOf(2);
    const { Command } = await world.run('SendCommand', {
      ...script,
      InstanceIds: web(2),
      Comment: 'for a test',
      TimeoutSeconds: 60,
    });
    expect(Command).toMatchObject({
      Status: 'Pending',
      StatusDetails: 'Pending',
      Comment: 'for a test',
      TargetCount: 2,
      MaxConcurrency: '50',
      MaxErrors: '0',
      // Until it is delivered, and then as long as the document lets it run.
      ExpiresAfter: new Date(world.clock.now() + (60 + 3600) * 1000),
    });
    const { CommandId } = Command as Listed;
    expect(world.ran).toEqual([]);
    expect(await world.ended(CommandId)).toMatchObject({ StatusDetails: 'Success', CompletedCount: 2 });
    expect(world.ran).toEqual(web(2).map((id) => `${id} systemctl reload app`));
    expect(await world.invocations(CommandId)).toEqual(web(2).map((id) => `${id} Success`));
  });

  test('is not listed at once, and its targets by tag are found later still', async () => {
    const world = fleetOf(2);
    const id = await world.send(byTag('web'));
    expect(await world.command(id)).toBeUndefined();
    pass(world.clock, 400);
    expect(await world.command(id)).toMatchObject({ Status: 'Pending', TargetCount: 0 });
    expect(await world.invocations(id)).toEqual([]);
    expect(await world.ended(id)).toMatchObject({ Status: 'Success', TargetCount: 2 });
  });

  test('whose tags nobody has is called a success that found no instances', async () => {
    const world = fleetOf(1);
    const ended = await world.ended(await world.send(byTag('db')));
    expect(ended).toMatchObject({ Status: 'Success', StatusDetails: 'NoInstancesInTag', TargetCount: 0 });
  });

  test.each([
    [[{ Key: 'tag:role', Values: ['web', 'db'] }], 3],
    [
      [
        { Key: 'tag:role', Values: ['web'] },
        { Key: 'tag:zone', Values: ['b'] },
      ],
      2,
    ],
    [[{ Key: 'tag-key', Values: ['zone'] }], 3],
    [[{ Key: 'InstanceIds', Values: ['i-00000002'] }], 1],
  ])('to %j reaches %i', async (Targets, count) => {
    const world = fleetOf(3);
    expect(await world.ended(await world.send({ Targets }))).toMatchObject({ TargetCount: count });
  });

  test('that fails somewhere goes to nobody else, one at a time', async () => {
    const world = fleetOf(4, ['i-00000002']);
    const id = await world.send({ ...byTag('web'), MaxConcurrency: '1' });
    expect(await world.ended(id)).toMatchObject({ Status: 'Failed', StatusDetails: 'Failed', ErrorCount: 1 });
    expect(world.ran).toHaveLength(2);
    expect(await world.invocations(id)).toEqual([
      'i-00000001 Success',
      'i-00000002 Failed',
      'i-00000003 Terminated',
      'i-00000004 Terminated',
    ]);
  });

  test('that fails less often than MaxErrors allows goes on, and is incomplete', async () => {
    const world = fleetOf(10, ['i-00000001']);
    const id = await world.send({ ...byTag('web'), MaxConcurrency: '10%', MaxErrors: '10%' });
    expect(await world.ended(id)).toMatchObject({ StatusDetails: 'Incomplete', ErrorCount: 1 });
    expect(world.ran).toHaveLength(10);
  });

  test('waits for an agent that does not answer until it expires', async () => {
    const world = fleetOf(2);
    world.fleet.put({ instanceId: 'i-00000001', agent: 'silent' });
    world.fleet.put({ instanceId: 'i-00000002', agent: 'silent' });
    const parameters = { Parameters: { ...script.Parameters, executionTimeout: ['60'] } };
    const id = await world.send({ ...byTag('web'), ...parameters, TimeoutSeconds: 30 });
    const back = settle(world.clock, untilInProgress(world, id)).then(() =>
      world.fleet.put({ instanceId: 'i-00000002', agent: 'online' }),
    );
    await back;
    expect(await world.ended(id)).toMatchObject({
      Status: 'TimedOut',
      StatusDetails: 'DeliveryTimedOut',
      DeliveryTimedOutCount: 1,
      ErrorCount: 0,
    });
    expect(await world.invocations(id)).toEqual(['i-00000001 DeliveryTimedOut', 'i-00000002 Success']);
  });

  test('that runs too long times out', async () => {
    const world = createWorld();
    world.fleet.put({ instanceId: 'i-00000001', run: () => new Promise(() => undefined) });
    const id = await world.send({
      InstanceIds: ['i-00000001'],
      Parameters: { ...script.Parameters, executionTimeout: ['5'] },
    });
    expect(await world.ended(id)).toMatchObject({ Status: 'TimedOut', StatusDetails: 'ExecutionTimedOut' });
  });

  test('that cannot be delivered everywhere is a success all the same, and fails only where nobody was reached', async () => {
    const world = fleetOf(2);
    world.fleet.put({ instanceId: 'i-00000001', agent: 'lost' });
    const some = await world.send(byTag('web'));
    expect(await world.ended(some)).toMatchObject({ Status: 'Success', StatusDetails: 'Success' });
    expect(await world.invocations(some)).toEqual(['i-00000001 Undeliverable', 'i-00000002 Success']);
    const none = await world.send({ InstanceIds: ['i-00000001'] });
    expect(await world.ended(none)).toMatchObject({ Status: 'Failed', StatusDetails: 'Failed' });
  });

  test('to an instance that is gone before it is reached is undeliverable', async () => {
    const world = fleetOf(1);
    const id = await world.send({ InstanceIds: web(1) });
    world.fleet.remove('i-00000001');
    expect(await world.ended(id)).toMatchObject({ Status: 'Failed' });
    expect(await world.invocations(id)).toEqual(['i-00000001 Undeliverable']);
  });

  test('to an instance of another platform is refused by id, and noted by tag', async () => {
    const world = createWorld();
    world.fleet.put({ instanceId: 'i-00000009', platform: 'Windows', tags: { role: 'web' } });
    expect(await world.refusal('SendCommand', { ...script, InstanceIds: ['i-00000009'] })).toBe(
      'UnsupportedPlatformType: ',
    );
    const id = await world.send(byTag('web'));
    await world.ended(id);
    expect(await world.invocations(id)).toEqual(['i-00000009 InvalidPlatform']);
  });

  test.each([
    [{ DocumentName: 'Own-Reload' }, 'InvalidDocument: Document with name Own-Reload does not exist.'],
    [
      { InstanceIds: ['i-00000001', 'i-0000000f'] },
      `InvalidInstanceId: Instances [[i-0000000f]] not in a valid state for account ${account}`,
    ],
    [{ InstanceIds: ['i-00000001', 'i-00000001'] }, 'DuplicateInstanceId'],
    [{ InstanceIds: ['nonsense'] }, 'ValidationException'],
    [{ Parameters: {} }, 'InvalidParameters: The parameter commands is required'],
    [
      { Parameters: { ...script.Parameters, other: ['x'] } },
      'InvalidParameters: The parameter other is not defined',
    ],
    [{ Comment: 'x'.repeat(101) }, 'ValidationException'],
    [{ TimeoutSeconds: 29 }, 'ValidationException'],
    [{ MaxErrors: '101%' }, 'ValidationException'],
    [{ MaxConcurrency: '0' }, 'ValidationException'],
    [{ DocumentVersion: '2' }, 'does not implement SendCommand with DocumentVersion'],
    [
      { Targets: [{ Key: 'tag:role', Values: ['web'] }] },
      'ValidationException: Specify either InstanceIds or Targets',
    ],
    [{ InstanceIds: undefined }, 'ValidationException: Specify InstanceIds or Targets'],
    [
      { InstanceIds: undefined, Targets: [{ Key: 'resource-groups:Name', Values: ['x'] }] },
      'does not implement SendCommand with the target key',
    ],
  ])('with %j is refused: %s', async (change, message) => {
    const world = fleetOf(1);
    const refusal = await world.refusal('SendCommand', { ...script, InstanceIds: web(1), ...change });
    expect(refusal).toContain(message);
    pass(world.clock, 5_000);
    expect((await world.run('ListCommands', {}))['Commands']).toEqual([]);
  });

  test("by a document of the team's own takes that document's parameters", async () => {
    const world = fleetOf(1);
    world.fleet.putDocument({ name: 'Own-Reload', platforms: ['Linux'], parameters: { unit: 'required' } });
    const own = { DocumentName: 'Own-Reload', InstanceIds: web(1) };
    expect(await world.refusal('SendCommand', own)).toContain('InvalidParameters');
    const id = await world.send({ ...own, Parameters: { unit: ['app'] } });
    expect(await world.ended(id)).toMatchObject({ Status: 'Success', DocumentName: 'Own-Reload' });
  });
});

describe('the list of commands', () => {
  test('is newest first, by pages and by filters', async () => {
    const world = fleetOf(1);
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) {
      ids.unshift(await world.send({ InstanceIds: web(1) }));
      pass(world.clock, 60_000);
    }
    await world.ended(ids[0] ?? '');
    const list = async (input: object) => {
      const { Commands, NextToken } = await world.run('ListCommands', input);
      return { ids: (Commands as readonly Listed[]).map(({ CommandId }) => CommandId), NextToken };
    };
    const first = await list({ MaxResults: 2 });
    expect(first.ids).toEqual(ids.slice(0, 2));
    expect(await list({ MaxResults: 2, NextToken: first.NextToken })).toEqual({ ids: ids.slice(2) });
    const since = new Date(world.clock.now() - 150_000).toISOString();
    expect((await list({ Filters: [{ key: 'InvokedAfter', value: since }] })).ids).toEqual(ids.slice(0, 2));
    expect((await list({ Filters: [{ key: 'InvokedBefore', value: since }] })).ids).toEqual(ids.slice(2));
    expect((await list({ Filters: [{ key: 'DocumentName', value: 'Own-Reload' }] })).ids).toEqual([]);
    expect((await list({ Filters: [{ key: 'ExecutionStage', value: 'Complete' }] })).ids).toEqual(ids);
    expect((await list({ Filters: [{ key: 'Status', value: 'Failed' }] })).ids).toEqual([]);
  });

  test('forgets a command after 30 days', async () => {
    const world = fleetOf(1);
    const id = await world.send({ InstanceIds: web(1) });
    await world.ended(id);
    pass(world.clock, 31 * 86_400_000);
    expect(await world.command(id)).toBeUndefined();
  });

  test.each([
    ['ListCommands', { Filters: [{ key: 'Comment', value: 'x' }] }, 'ValidationException'],
    ['ListCommands', { Filters: [{ key: 'InvokedAfter', value: 'yesterday' }] }, 'ValidationException'],
    ['ListCommands', { NextToken: 'nonsense' }, 'InvalidNextToken'],
    ['ListCommands', { InstanceId: 'i-00000001' }, 'does not implement ListCommands with InstanceId'],
    ['ListCommandInvocations', { Details: true }, 'does not implement ListCommandInvocations with Details'],
    [
      'ListCommandInvocations',
      { Filters: [{ key: 'ExecutionStage', value: 'Complete' }] },
      'InvalidFilterKey',
    ],
  ])('%s with %j is refused: %s', async (operation, input, message) => {
    const world = fleetOf(1);
    await world.ended(await world.send({ InstanceIds: web(1) }));
    expect(await world.refusal(operation, input)).toContain(message);
  });
});

describe('a role', () => {
  const document = {
    Effect: 'Allow',
    Action: 'ssm:SendCommand',
    Resource: 'arn:aws:ssm:us-east-1::document/AWS-RunShellScript',
  };
  const zoneB = {
    Effect: 'Allow',
    Action: 'ssm:SendCommand',
    Resource: `arn:aws:ec2:us-east-1:${account}:instance/*`,
    Condition: { StringEquals: { 'ssm:resourceTag/zone': 'b' } },
  };

  test('needs the document', async () => {
    const world = fleetOf(1);
    expect(await world.refusal('SendCommand', { ...script, ...byTag('web') }, world.role(zoneB))).toContain(
      'AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/app/run is not authorized to perform: ssm:SendCommand on resource: arn:aws:ssm:us-east-1::document/AWS-RunShellScript',
    );
  });

  test('is refused an instance that is named and not tagged as its policy says', async () => {
    const world = fleetOf(2);
    const refusal = await world.refusal(
      'SendCommand',
      { ...script, InstanceIds: web(2) },
      world.role(document, zoneB),
    );
    expect(refusal).toContain(
      `ssm:SendCommand on resource: arn:aws:ec2:us-east-1:${account}:instance/i-00000001`,
    );
    expect(world.ran).toEqual([]);
  });

  test('finds such an instance by another tag, and is denied it there', async () => {
    const world = fleetOf(2);
    const id = await world.send(byTag('web'), world.role(document, zoneB));
    expect(await world.ended(id)).toMatchObject({ Status: 'Success' });
    expect(await world.invocations(id)).toEqual(['i-00000001 AccessDenied', 'i-00000002 Success']);
    expect(world.ran).toHaveLength(1);
  });

  test.each(['ListCommands', 'ListCommandInvocations'])(
    'without permission is refused %s',
    async (operation) => {
      const world = fleetOf(1);
      expect(await world.refusal(operation, {}, world.role())).toContain(
        `is not authorized to perform: ssm:${operation} on resource: arn:aws:ssm:us-east-1:${account}:*`,
      );
    },
  );
});

test('what is under way when everything stops goes no further', async () => {
  const world = fleetOf(1);
  await world.send({ InstanceIds: web(1) });
  world.stop();
  pass(world.clock, 60_000);
  await new Promise(setImmediate);
  expect(world.ran).toEqual([]);
});

async function untilInProgress(world: ReturnType<typeof fleetOf>, id: string): Promise<void> {
  while ((await world.command(id))?.Status !== 'InProgress') await new Promise(setImmediate);
}
