import { ended, expectSafe, requests, run } from './expectations';
import { consumer, loaded, previous, text, token } from './simulated-world';

describe('waves', () => {
  it('wait for each other as long as the policy says', async () => {
    const began = async (pauseSeconds: number) => {
      const world = await run({
        consumers: [[consumer('a')], [consumer('b', 2)], [consumer('c', 3)]],
        policy: { pauseSeconds },
      });
      expectSafe(world);
      expect(world.status).toBe('SUCCEEDED');
      const waits = world.path.filter((state) => state === 'PauseBetweenWaves').length;
      return {
        waits,
        ms: Date.parse(text(ended(world)['time'] ?? '')) - Date.parse(text(world.events[0]?.detail['time'])),
      };
    };
    const without = await began(0);
    const paused = await began(600);
    expect([without.waits, paused.waits]).toEqual([0, 2]);
    expect(paused.ms - without.ms).toBe(1_200_000);
  });

  const optional = (name: string, wave: number) => consumer(name, wave, { required: false, group: 'web' });
  const group = [
    [optional('a', 1), optional('b', 1)],
    [optional('c', 2), optional('d', 2)],
  ];

  it('go on while a group can still have its quorum', async () => {
    const world = await run({
      consumers: group,
      quorums: [{ group: 'web', members: 4, least: 2 }],
      answers: { a: () => undefined, b: () => 'refuse' },
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
  });

  it('end as soon as a group cannot have its quorum any more, and tell no further wave', async () => {
    const world = await run({
      consumers: group,
      quorums: [{ group: 'web', members: 4, least: 3 }],
      answers: { a: () => undefined, b: () => 'refuse' },
    });
    expectSafe(world);
    expect(world.status).toBe('HELD');
    expect(world.cause).toMatchObject({ error: 'QuorumMissed' });
    expect(world.cause['cause']).toBe(
      'too few have loaded version version-token: 0 of group web, and 3 are needed',
    );
    expect(requests(world).some((request) => /^[cd] /.test(request))).toBe(false);
  });

  it('go on when the operator excuses those who are missing', async () => {
    const world = await run({
      consumers: group,
      quorums: [{ group: 'web', members: 4, least: 3 }],
      answers: { a: () => undefined, b: () => 'refuse' },
      decisions: [{ decision: 'resume', skip: ['a', 'b'] }],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
  });
});

describe('consumers that verify', () => {
  const both = { consumers: [[consumer('orders')]], verifiers: [consumer('orders')] };

  it('try the new version before AWSCURRENT names it, and load it afterwards', async () => {
    const labels: (string | undefined)[] = [];
    const world = await run({
      ...both,
      meanwhile: (state, { labels: now }) => {
        if (state === 'TestSecret') labels.push(now['AWSCURRENT']);
      },
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    const asked = world.events.filter(({ type }) => type === 'Secret Refresh Requested');
    expect(asked.map(({ detail }) => [detail['phase'], detail['versionId']])).toEqual([
      ['verify', token],
      ['load', token],
    ]);
    expect(world.path.indexOf('AskWave')).toBeLessThan(world.path.indexOf('FinishSecret'));
    expect(labels).toEqual([previous]);
    expect(world.events.at(-1)?.detail['consumers']).toHaveLength(1);
  });

  it('turn the rotation back by a refusal, while nothing has moved and nobody else was told', async () => {
    const world = await run({ ...both, answers: { orders: () => 'refuse' } });
    expectSafe(world);
    expect(world.cause).toMatchObject({
      state: 'VerifyWithConsumers',
      error: 'ConsumerRefused',
      outcome: 'reverted',
      current: previous,
    });
    expect(requests(world)).toEqual([`orders ${token}`]);
    expect([...world.accepted]).toEqual([previous]);
    expect(world.labels).toEqual({ AWSCURRENT: previous });
  });

  it('turn the rotation back by silence, which proves nothing', async () => {
    const world = await run({ ...both, answers: { orders: () => undefined } });
    expectSafe(world);
    expect(world.cause).toMatchObject({
      state: 'VerifyWithConsumers',
      error: 'ConsumerSilent',
      outcome: 'reverted',
    });
  });

  it('do not stand in the way where they are optional', async () => {
    const world = await run({
      ...both,
      verifiers: [consumer('orders', 1, { required: false })],
      answers: { orders: (ask, version) => (ask > 2 ? loaded('orders', version) : undefined) },
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
  });

  it('are not asked where nothing overlaps: trying would need what does not work yet or no longer', async () => {
    const world = await run({ ...both, overlap: 'none' });
    expect(world.status).toBe('SUCCEEDED');
    expect(requests(world)).toEqual([`orders ${token}`]);
  });
});
