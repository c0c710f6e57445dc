import * as z from 'zod';
import { consumer, definition, loaded, Simulation, token, type Strike, type World } from './simulated-world';

const retrier = z.object({ ErrorEquals: z.array(z.string()), MaxAttempts: z.number() });
const catcher = z.object({ ErrorEquals: z.array(z.string()), Next: z.string() });
const stateShape = z.object({
  Type: z.string(),
  Retry: z.array(retrier).default([]),
  Catch: z.array(catcher).default([]),
  ItemProcessor: z.object({ States: z.record(z.string(), z.unknown()) }).optional(),
});
type State = z.infer<typeof stateShape>;

const states = statesOf(
  z.object({ States: z.record(z.string(), z.unknown()) }).parse(JSON.parse(definition())).States,
);

function statesOf(members: Readonly<Record<string, unknown>>): [string, State][] {
  return Object.entries(members).flatMap(([name, member]) => {
    const state = stateShape.parse(member);
    return [[name, state] as [string, State], ...statesOf(state.ItemProcessor?.States ?? {})];
  });
}

const strike = (state: string, error: string, times: number, cause?: string): Strike => ({
  state,
  moment: 'before',
  error,
  times,
  ...(cause === undefined ? {} : { cause }),
});
const failedTest = [strike('TestSecret', 'CredentialUnusable', 1)];
const refused: World['answers'] = {
  orders: (_, version) => (version === token ? 'refuse' : loaded('orders', version)),
};

const silent: World['answers'] = { orders: () => undefined };

/** A wave of more than forty, one of whom the answers are about. */
const large = [
  ['orders', ...Array.from({ length: 40 }, (_, index) => `other-${String(index)}`)].map((name) =>
    consumer(name),
  ),
];

/** Somebody else rotates, and the first answer is about what a cache still holds. */
const behind: World['answers'] = {
  orders: (ask) => loaded('orders', ask > 1 ? token : 'version-of-a-cache'),
};

/** Something else moves AWSCURRENT on while a version is followed. */
const overtaken: World['meanwhile'] = (_, world) => {
  world.labels = { AWSCURRENT: 'version-newer', AWSPREVIOUS: token };
};

const excusable = [[consumer('orders', 1, { required: false })]];

/** What leads to the states that a rotation does not pass when all goes well. */
const ways: Readonly<Record<string, Partial<World>>> = {
  AnnounceFollow: { mode: 'follow' },
  LookAgain: { mode: 'follow', answers: behind },
  LookAgainApart: { mode: 'follow', answers: behind, consumers: large },
  PublishAbandoned: { mode: 'follow', answers: silent, meanwhile: overtaken },
  Inform: { informed: 1 },
  AwaitReplicas: { replicas: { 'eu-west-1': ['served'] } },
  AskApart: { consumers: large },
  WhoRefused: { consumers: large, answers: refused },
  WarnCutOff: { policy: { urgency: 'compromised' }, consumers: excusable, answers: silent },
  WarnUnreachable: { strikes: [strike('SetSecret', 'TargetUnreachable', 1000)] },
  WhatIsTrue: { strikes: failedTest },
  RetireUnused: { strikes: failedTest },
  RevertLabels: { strikes: failedTest },
  PublishFailed: { strikes: failedTest },
  AlertOperators: { strikes: failedTest },
  AlertPlainly: { strikes: [...failedTest, strike('AlertOperators', 'Broken', 1000)] },
  RestorePrevious: { answers: refused },
  ProvePrevious: { answers: refused },
  RetireNew: { answers: refused },
  ReleaseNew: { answers: refused },
  AnnounceHold: { answers: silent },
  Hold: { answers: silent },
  HoldPlainly: { answers: silent, strikes: [strike('Hold', 'Broken', 1000)] },
  TestCurrent: { mode: 'test' },
};

/** An error that this list covers: its first name, or one that only a wildcard covers. */
function example(errorEquals: readonly string[]): string {
  const [first = ''] = errorEquals;
  return first === 'States.ALL' || first === 'States.TaskFailed' ? 'SomethingElse' : first;
}

async function run(state: string, ...strikes: readonly Strike[]): Promise<Simulation> {
  const way = ways[state] ?? {};
  return new Simulation({ ...way, strikes: [...(way.strikes ?? []), ...strikes] }).run();
}

const retries = states.flatMap(([state, { Type, Retry }]) =>
  Type === 'Task'
    ? Retry.filter(({ MaxAttempts }) => MaxAttempts > 0).map(
        (each) => [state, example(each.ErrorEquals)] as const,
      )
    : [],
);
const catches = states.flatMap(([state, { Type, Catch }]) =>
  Type === 'Task' ? Catch.map(({ ErrorEquals, Next }) => [state, example(ErrorEquals), Next] as const) : [],
);

it.each(retries)('%s is tried again after %s', async (state, error) => {
  const world = await run(state, strike(state, error, 1));
  expect(world.retried).toContain(state);
});

it.each(catches)('%s goes on, after %s that does not end, to %s', async (state, error, next) => {
  const refusal = JSON.stringify({
    consumer: 'orders',
    versionId: token,
    account: '111122223333',
    reason: 'simulated',
  });
  const world = await run(
    state,
    // A state whose time is over may be entered again; what ends it is that nobody decides.
    strike(
      state,
      error,
      error === 'States.Timeout' ? 3 : 1000,
      error === 'ConsumerRefused' ? refusal : undefined,
    ),
  );
  const followers = world.path.filter((_, index) => world.path[index - 1] === state);
  expect(followers).toContain(next);
});

it('AskWave goes back when a required consumer refuses', async () => {
  const world = await new Simulation({ answers: refused }).run();
  expect(world.cause).toMatchObject({ state: 'AskWave', error: 'ConsumerRefused', outcome: 'reverted' });
});

it('AskWave keeps both credentials when the wave breaks for any other reason', async () => {
  const world = await new Simulation({ strikes: [strike('Ask', 'ConsumerRefused', 1, 'no JSON')] }).run();
  expect(world.path).toContain('WhatIsTrue');
  expect(world.cause).toMatchObject({ state: 'AskWave', outcome: 'kept', current: token });
});
