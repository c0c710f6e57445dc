import { ended, endings, expectSafe, requests, run } from './expectations';
import { consumer, loaded, previous, type Simulation, token, type World } from './simulated-world';

const newer = 'version-newer';

/** Something else moves AWSCURRENT on, once a state has had its effect. */
const movesOnAfter =
  (wanted: string): World['meanwhile'] =>
  (state, world) => {
    if (state !== wanted) return;
    world.accepted.add(newer);
    world.labels = { AWSCURRENT: newer, AWSPREVIOUS: token };
  };

/** What a followed secret must have kept, however it ended. */
function expectUntouched(world: Simulation): void {
  expectSafe(world);
  expect(world.stopped).toEqual([]);
  expect(world.labels).not.toHaveProperty('rotor-held');
  const touching = ['CreateSecret', 'SetSecret', 'FinishSecret', 'RevertLabels', 'RestorePrevious'];
  expect(world.path.filter((state) => touching.includes(state))).toEqual([]);
}

async function follow(world: Partial<World> = {}): Promise<Simulation> {
  const followed = await run({ mode: 'follow', ...world });
  expectUntouched(followed);
  return followed;
}

describe('a version that something else has written', () => {
  it('is announced, loaded wave by wave and reported, and nothing else is done', async () => {
    // A version that is held hinders nobody, and nothing is verified that is in use already.
    const world = await follow({ informed: 1, held: previous, verifiers: [consumer('orders')] });
    expect(world.status).toBe('SUCCEEDED');
    expect(world.path).toEqual([
      'Plan',
      'Mode',
      'AnnounceFollow',
      'NextWave',
      'Inform',
      'NextWave',
      'AskWave',
      'Ask',
      'NextWave',
      'AskWave',
      'Ask',
      'NextWave',
      'PublishSucceeded',
      'Rotated',
    ]);
    expect(world.events[0]).toMatchObject({
      type: 'Secret Rotation Started',
      detail: { rotator: 'none', overlap: 'none', versionId: token, previousVersionId: previous },
    });
    expect(requests(world)).toEqual([`watcher-0 ${token}`, `orders ${token}`, `billing ${token}`]);
    expect(world.events.filter(({ detail }) => detail['phase'] === 'verify')).toEqual([]);
    expect(ended(world)).toMatchObject({ rotator: 'none', gapMs: null, sessions: [] });
  });

  it('is held when an application refuses, also where a rotation would go back', async () => {
    const world = await follow({ answers: { orders: () => 'refuse' }, policy: { onRefusal: 'back' } });
    expect(world.status).toBe('HELD');
    expect(world.alerts).toMatchObject([
      { kind: 'held', mode: 'follow', error: 'ConsumerRefused', decide: { choices: ['resume', 'accept'] } },
    ]);
  });

  it('is held when an application stays silent, and goes on when it is excused', async () => {
    const world = await follow({
      answers: { orders: () => undefined },
      decisions: [{ decision: 'resume', skip: ['orders'] }],
    });
    expect(world.status).toBe('SUCCEEDED');
    expect(ended(world)['consumers']).toMatchObject([
      { name: 'orders', outcome: 'skipped' },
      { name: 'billing', outcome: 'loaded' },
    ]);
  });

  it('cannot be taken back: that decision is asked for again', async () => {
    const world = await follow({
      answers: { orders: () => 'refuse' },
      decisions: [{ decision: 'back' }, { decision: 'accept' }],
    });
    expect(world.holdCount).toBe(2);
    expect(world.status).toBe('SUCCEEDED');
  });

  it('ends failed, with an alert, where its enrolment is wrong', async () => {
    const world = await follow({
      strikes: [{ state: 'Plan', moment: 'before', error: 'PolicyInvalid', times: 1 }],
    });
    expect(world.status).toBe('FAILED');
    expect(world.alerts).toMatchObject([{ kind: 'failed', mode: 'follow', error: 'PolicyInvalid' }]);
    expect(ended(world)).toMatchObject({ outcome: 'unchanged', current: token });
  });
});

describe('a version that AWSCURRENT leaves while it is followed', () => {
  /** It ended without an alert, and its event names the version that came. */
  function expectAbandoned(world: Simulation): void {
    expect(world.status).toBe('SUCCEEDED');
    expect(world.path.slice(-2)).toEqual(['PublishAbandoned', 'Abandoned']);
    expect(endings(world)).toEqual(['Secret Rotation Failed']);
    expect(ended(world)).toMatchObject({
      error: 'RotationAbandoned',
      cause: `AWSCURRENT has moved on to version ${newer}, which is followed in its turn`,
      outcome: 'unchanged',
      current: newer,
    });
  }

  it('is let go as soon as an application answers with the newer version, without waiting for the others', async () => {
    const world = await follow({
      consumers: [[consumer('orders'), consumer('billing')]],
      answers: { orders: () => loaded('orders', newer), billing: () => undefined },
      meanwhile: movesOnAfter('Plan'),
    });
    expectAbandoned(world);
    expect(world.alerts).toEqual([]);
    expect(requests(world)).toEqual([`orders ${token}`, `billing ${token}`]);
  });

  it('so in a wave of more than forty', async () => {
    const names = Array.from({ length: 41 }, (_, index) => `consumer-${String(index)}`);
    const world = await follow({
      consumers: [names.map((name) => consumer(name))],
      answers: { 'consumer-7': () => loaded('consumer-7', newer) },
      meanwhile: movesOnAfter('Plan'),
    });
    expectAbandoned(world);
    expect(world.alerts).toEqual([]);
  });

  it('is let go when an application refuses the newer version', async () => {
    const world = await follow({
      answers: { orders: () => 'refuse' },
      meanwhile: movesOnAfter('Plan'),
    });
    expectAbandoned(world);
    expect(world.alerts).toEqual([]);
  });

  it('is let go when the deadline of a silent application is over', async () => {
    const world = await follow({ answers: { orders: () => undefined }, meanwhile: movesOnAfter('Plan') });
    expectAbandoned(world);
    expect(world.alerts).toEqual([]);
  });

  it('is let go where its plan failed', async () => {
    const world = await follow({
      strikes: [{ state: 'Plan', moment: 'after', error: 'PolicyInvalid', times: 1 }],
      meanwhile: movesOnAfter('Plan'),
    });
    expectAbandoned(world);
  });

  it('is let go while it is held, instead of a second alert after seven days', async () => {
    const world = await follow({
      answers: { orders: () => 'refuse' },
      decisions: ['wait'],
      meanwhile: movesOnAfter('Hold'),
    });
    expectAbandoned(world);
    expect(world.alerts).toHaveLength(1);
  });

  it('is alerted about once more after seven days where AWSCURRENT has stayed', async () => {
    const world = await follow({
      answers: { orders: () => 'refuse' },
      decisions: ['wait', { decision: 'accept' }],
    });
    expect(world.status).toBe('SUCCEEDED');
    expect(world.alerts).toHaveLength(2);
  });
});

it('an answer about another version is asked again while AWSCURRENT stays where it was', async () => {
  const world = await follow({
    answers: { orders: (ask) => loaded('orders', ask > 3 ? token : 'version-of-a-cache') },
  });
  expect(world.status).toBe('SUCCEEDED');
  expect(world.path.filter((state) => state === 'LookAgain')).toHaveLength(3);
});

it('labels that nobody can read are no reason to give up: the application is asked again', async () => {
  const world = await follow({
    answers: { orders: (ask) => loaded('orders', ask > 1 ? token : 'version-of-a-cache') },
    strikes: [{ state: 'LookAgain', moment: 'before', error: 'AccessDeniedException', times: 9 }],
  });
  expect(world.status).toBe('SUCCEEDED');
});

it('a rotation of its own looks at no labels while it waits: there FinishSecret has moved them', async () => {
  const world = await run({
    answers: { orders: (ask) => loaded('orders', ask > 2 ? token : 'version-of-a-cache') },
  });
  expectSafe(world);
  expect(world.path).not.toContain('LookAgain');
});
