import type { Progress, RolledOut } from '../../adapters/adapter';
import { parseSettings } from '../../adapters/environment';
import { ssmDefinition } from '../../adapters/ssm/definition';
import { verdictOf } from '../../adapters/ssm/verdict';
import { adapterContract, rolledOut } from './contract';
import { openSsmCounterpart, type SsmCounterpart, type SsmInput } from './ssm-counterpart';

adapterContract('ssm', openSsmCounterpart);

const version = rolledOut('11111111-1111-4111-8111-111111111111');
const signal = new AbortController().signal;
const usual = {
  parameters: { commands: ['systemctl reload orders'] },
  targets: { tags: { role: ['orders'] } },
};

let counterpart: SsmCounterpart;
beforeEach(async () => {
  counterpart = await openSsmCounterpart();
});
afterEach(() => counterpart.stop());

async function begin(input: SsmInput = usual, of: RolledOut = version): Promise<void> {
  await counterpart.openWith(input).begin(of, signal);
}

/** Looks until the command has ended, each time by an adapter that knows nothing of it. */
async function end(input: SsmInput = usual, of: RolledOut = version): Promise<Progress> {
  for (let looks = 0; looks < 200; looks++) {
    const progress = await counterpart.openWith(input).look(of, signal);
    if (progress.state !== 'working') return progress;
    await counterpart.pass();
  }
  throw new Error('the command has no end');
}

async function ended(input: SsmInput = usual, of: RolledOut = version): Promise<string> {
  await begin(input, of);
  const progress = await end(input, of);
  // Ids of commands are drawn anew in every run.
  return progress.state === 'refused' ? progress.reason.replace(/[0-9a-f-]{36}/, 'id') : progress.state;
}

async function commands(): Promise<readonly { readonly Comment: string }[]> {
  await counterpart.pass();
  const { Commands } = (await counterpart.world.call('ssm', 'ListCommands', {})) as {
    Commands: { Comment: string }[];
  };
  return Commands;
}

describe('what the instances are asked', () => {
  test('is the document with its parameters, under a comment that says which version it is for', async () => {
    await expect(
      ended({ ...usual, maxConcurrency: '1', maxErrors: '10%', timeoutSeconds: 60 }),
    ).resolves.toBe('done');
    expect(counterpart.ran).toEqual([1, 2, 3].map((id) => `i-0000000${id} systemctl reload orders`));
    const [command] = await commands();
    expect(command).toMatchObject({
      Comment: expect.stringMatching(/^rotor 11111111-1111-4111-8111-111111111111 [0-9a-f]{24}$/) as string,
      MaxConcurrency: '1',
      MaxErrors: '10%',
      TimeoutSeconds: 60,
    });
  });

  test('fits into a comment whatever the version is called', async () => {
    await expect(ended(usual, rolledOut('v'.repeat(64), 'r'.repeat(80)))).resolves.toBe('done');
    expect((await commands())[0]?.Comment.length).toBeLessThanOrEqual(100);
  });

  test("is a document of the team's own on instances by id", async () => {
    counterpart.fleet.putDocument({ name: 'Own-Reload', platforms: ['Linux'], parameters: {} });
    const own = { documentName: 'Own-Reload', targets: { instanceIds: ['i-00000002'] } };
    await expect(ended(own)).resolves.toBe('done');
    expect(counterpart.ran).toHaveLength(1);
  });
});

describe('one command for each application, version and rotation', () => {
  test('is found among many others, page by page', async () => {
    await begin();
    for (let index = 0; index < 60; index++)
      await counterpart.world.call('ssm', 'SendCommand', {
        DocumentName: 'AWS-RunShellScript',
        Parameters: { commands: ['uptime'] },
        InstanceIds: ['i-00000003'],
        Comment: `rotor ${version.versionId}`,
      });
    await counterpart.pass();
    const before = await counterpart.acts();
    await begin();
    expect(await counterpart.acts()).toBe(before);
    expect(await end()).toEqual({ state: 'done' });
  });

  test('does not stand for another application with the same secret', async () => {
    await ended();
    await ended(usual, { ...version, consumer: 'billing' });
    expect(await commands()).toHaveLength(2);
  });

  test('is sent again after a refusal, when somebody asks again, and then that one counts', async () => {
    counterpart.fleet.put({ instanceId: 'i-00000002', run: () => 1 });
    expect(await ended()).toMatch(/^CommandFailed/);
    // Looking does not act.
    expect(await end()).toMatchObject({ state: 'refused' });
    expect(await commands()).toHaveLength(1);
    counterpart.fleet.put({ instanceId: 'i-00000002', run: () => 0 });
    const [one, other] = [counterpart.openWith(usual), counterpart.openWith(usual)];
    await one.begin(version, signal);
    expect(await one.look(version, signal)).toEqual({ state: 'working' });
    expect(await other.look(version, signal)).toEqual({ state: 'working' });
    expect(await end()).toEqual({ state: 'done' });
    expect(await commands()).toHaveLength(2);
  });

  test('is not sent by an adapter that has sent it and does not see it yet', async () => {
    const adapter = counterpart.openWith(usual);
    // As if the process had been frozen: nothing is waited for.
    counterpart.loseAnswer();
    await expect(adapter.begin(version, signal)).rejects.toThrow('socket hang up');
    await adapter.begin(version, signal);
    expect(await commands()).toHaveLength(1);
  });
});

describe('the end of a command', () => {
  test('is a refusal that names five instances and no more', async () => {
    for (let index = 1; index <= 7; index++)
      counterpart.fleet.put({ instanceId: `i-0000000${index}`, tags: { role: 'orders' }, run: () => 1 });
    expect(await ended({ ...usual, maxConcurrency: '1', maxErrors: '1' })).toBe(
      'CommandFailed: 7 of 7 instances (command id): i-00000001 Failed, i-00000002 Failed, i-00000003 Terminated, i-00000004 Terminated, i-00000005 Terminated …',
    );
  });

  test('is a refusal although AWS calls it a success: one instance was not reached', async () => {
    counterpart.fleet.put({ instanceId: 'i-00000002', agent: 'lost' });
    expect(await ended()).toBe('CommandFailed: 1 of 3 instances (command id): i-00000002 Undeliverable');
  });

  test('is a refusal although fewer have failed than MaxErrors allows', async () => {
    counterpart.fleet.put({ instanceId: 'i-00000001', run: () => 1 });
    expect(await ended({ ...usual, maxErrors: '2' })).toBe(
      'CommandFailed: 1 of 3 instances (command id): i-00000001 Failed',
    );
  });

  test('is a refusal where nobody has the tags', async () => {
    expect(await ended({ ...usual, targets: { tags: { role: ['nobody'] } } })).toBe(
      'NoInstancesInTag: no managed instance has the tags of the settings (command id)',
    );
  });

  test('is a refusal where Systems Manager has found fewer instances than there are to be', async () => {
    expect(await ended({ ...usual, minimumInstances: 3 })).toBe('done');
    const later = rolledOut('22222222-2222-4222-8222-222222222222');
    expect(await ended({ ...usual, minimumInstances: 4 }, later)).toBe(
      'TooFewInstances: Systems Manager found 3 of at least 4 instances (command id); it does not see those that it does not manage',
    );
    // What has failed is told first.
    counterpart.fleet.put({ instanceId: 'i-00000001', run: () => 1 });
    const last = rolledOut('33333333-3333-4333-8333-333333333333');
    expect(await ended({ ...usual, minimumInstances: 4, maxErrors: '3' }, last)).toMatch(
      /^CommandFailed: 1 of 3/,
    );
  });

  test('is a refusal where an instance runs out of time, or has another platform', async () => {
    counterpart.fleet.put({ instanceId: 'i-00000001', run: () => new Promise(() => undefined) });
    counterpart.fleet.put({ instanceId: 'i-00000002', platform: 'Windows' });
    const parameters = { ...usual.parameters, executionTimeout: ['30'] };
    expect(await ended({ ...usual, parameters, maxErrors: '3' })).toBe(
      'CommandFailed: 2 of 3 instances (command id): i-00000001 ExecutionTimedOut, i-00000002 InvalidPlatform',
    );
  });

  describe('at an instance whose agent does not answer', () => {
    const input = {
      ...usual,
      parameters: { ...usual.parameters, executionTimeout: ['60'] },
      timeoutSeconds: 30,
    };
    beforeEach(() => counterpart.fleet.put({ instanceId: 'i-00000003', agent: 'silent' }));

    test('is a refusal, when the command has expired', async () => {
      expect(await ended(input)).toBe(
        'CommandFailed: 1 of 3 instances (command id): i-00000003 DeliveryTimedOut',
      );
    });

    test('does not matter where the settings say that it is switched off', async () => {
      expect(await ended({ ...input, unreachable: 'accept' })).toBe('done');
    });

    test('matters all the same where no instance was reached, or another one has failed', async () => {
      counterpart.fleet.put({ instanceId: 'i-00000002', run: () => 1 });
      const both = { ...input, unreachable: 'accept', maxErrors: '3' };
      expect(await ended(both)).toBe('CommandFailed: 1 of 3 instances (command id): i-00000002 Failed');
      for (const id of [1, 2]) counterpart.fleet.put({ instanceId: `i-0000000${id}`, agent: 'lost' });
      expect(await ended(both, rolledOut('22222222-2222-4222-8222-222222222222'))).toMatch(
        /^CommandFailed: 3 of 3 instances/,
      );
    });
  });
});

test.each([
  ['Success', 0, []],
  ['Success', 2, ['Success']],
  ['Failed', 2, ['Failed', 'InProgress']],
])(
  'a command that is %s at %i instances, of which lists show %j, is not judged yet',
  (details, targets, shown) => {
    const command = { commandId: 'id', isEnded: true, details, targets, requestedAt: 0 };
    const invocations = shown.map((detail, index) => ({ instanceId: `i-${index}`, details: detail }));
    expect(verdictOf(command, invocations, { unreachable: 'refuse', minimumInstances: 3 })).toEqual({
      state: 'working',
    });
  },
);

test('a command that reached no instance for another reason is refused with that', () => {
  const command = { commandId: 'id', isEnded: true, details: 'RateExceeded', targets: 0, requestedAt: 0 };
  expect(verdictOf(command, [], { unreachable: 'accept' })).toEqual({
    state: 'refused',
    reason: 'CommandFailed: RateExceeded before any instance was reached (command id)',
  });
});

describe('its role', () => {
  test('reaches no instance that has other tags', async () => {
    const web = { ...usual, targets: { tags: { role: ['web', 'db'] } } };
    const adapter = counterpart.openWith(usual, web);
    await adapter.begin(version, signal);
    expect(await end()).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('i-00000001 AccessDenied, i-00000002 AccessDenied') as string,
    });
    expect(counterpart.ran).toEqual([]);
  });

  test('has one statement for each combination of tags', () => {
    const tags = { role: ['web', 'db'], stage: ['prod'] };
    const grants = ssmDefinition.grants(ssmDefinition.settings.parse({ ...usual, targets: { tags } }));
    expect(grants.flatMap((grant) => ('conditions' in grant ? [grant.conditions] : []))).toEqual([
      { StringEquals: { 'ssm:resourceTag/role': 'web', 'ssm:resourceTag/stage': 'prod' } },
      { StringEquals: { 'ssm:resourceTag/role': 'db', 'ssm:resourceTag/stage': 'prod' } },
    ]);
  });

  test.each([
    ['i-00000001', 'arn:*:ec2:*:*:instance/i-00000001'],
    ['mi-00000000000000001', 'arn:*:ssm:*:*:managed-instance/mi-00000000000000001'],
  ])('reaches %s and nothing beside it', (instanceId, resource) => {
    const settings = ssmDefinition.settings.parse({ ...usual, targets: { instanceIds: [instanceId] } });
    expect(ssmDefinition.grants(settings)[1]).toEqual({
      actions: ['ssm:SendCommand'],
      resources: [resource],
    });
  });

  test('may run the one document, wherever it belongs', () => {
    const documentOf = (documentName: string) =>
      ssmDefinition.grants(ssmDefinition.settings.parse({ ...usual, documentName }))[0]?.resources;
    expect(documentOf('Own-Reload')).toEqual(['arn:*:ssm:*:*:document/Own-Reload']);
    const shared = 'arn:aws:ssm:eu-west-1:222233334444:document/Shared-Reload';
    expect(documentOf(shared)).toEqual([shared]);
  });
});

test.each([
  [{}, 'field targets is missing'],
  [{ targets: usual.targets }, 'field parameters.commands is missing'],
  [{ ...usual, targets: { instanceIds: [] } }, 'field targets'],
  [{ ...usual, targets: { tags: {} } }, 'field targets'],
  [{ ...usual, targets: { instanceIds: ['i-1'], tags: { a: ['b'] } } }, 'field targets'],
  [{ ...usual, targets: { tags: { a: ['1', '2', '3', '4'], b: ['1', '2', '3'] } } }, 'field targets'],
  [{ ...usual, maxErrors: 'few' }, 'field maxErrors'],
  [{ ...usual, maxConcurrency: '0%' }, 'field maxConcurrency'],
  [{ ...usual, targets: { instanceIds: ['i-1'] }, unreachable: 'accept' }, 'field unreachable'],
  [{ ...usual, minimumInstances: 0 }, 'field minimumInstances'],
  [{ ...usual, minimumInstances: 1.5 }, 'field minimumInstances'],
  [{ ...usual, timeoutSeconds: 10 }, 'field timeoutSeconds'],
  [{ ...usual, comment: 'x' }, 'unknown field comment'],
])('the settings %j are refused by name', (input, message) => {
  expect(() => parseSettings(ssmDefinition.settings, JSON.stringify(input))).toThrow(message);
});
