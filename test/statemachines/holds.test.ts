import { ended, expectSafe, requests, run } from './expectations';
import { consumer, loaded, previous, type Simulation, token, type World } from './simulated-world';

describe('a rotation that is held', () => {
  const silent: World['answers'] = {
    billing: (ask, version) => (ask > 2 ? loaded('billing', version) : undefined),
  };

  it('says so to everybody, without the token that decides', async () => {
    const world = await run({ answers: silent });
    const held = world.events.at(-1);
    expect(held?.type).toBe('Secret Rotation Held');
    expect(held?.detail).toMatchObject({ error: 'ConsumerSilent', choices: ['resume', 'back', 'accept'] });
    const { decide } = world.alerts.at(-1) as { decide: { taskToken: string } };
    expect(JSON.stringify(held)).not.toContain(decide.taskToken);
  });

  it('resumes by asking those again who have not acknowledged, and nobody else', async () => {
    const world = await run({
      consumers: [[consumer('orders')], [consumer('billing', 2)], [consumer('last', 3)]],
      answers: silent,
      decisions: [{ decision: 'resume' }],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(requests(world)).toEqual([
      `orders ${token}`,
      `billing ${token}`,
      `billing ${token}`,
      `billing ${token}`,
      `last ${token}`,
    ]);
    expect(ended(world)['decisions']).toMatchObject([{ decision: 'resume', by: 'operator' }]);
    expect((ended(world)['consumers'] as { outcome: string }[]).map(({ outcome }) => outcome)).toEqual([
      'loaded',
      'loaded',
      'loaded',
    ]);
    expect([...world.accepted]).toEqual([token]);
  });

  it('resumes without those whom the operator skips, also in waves to come', async () => {
    const world = await run({
      consumers: [[consumer('orders')], [consumer('billing', 2)], [consumer('last', 3), consumer('gone', 3)]],
      answers: { billing: () => undefined, gone: () => undefined },
      decisions: [{ decision: 'resume', skip: ['billing', 'gone'] }],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(requests(world).filter((request) => request.startsWith('gone'))).toEqual([]);
    expect(ended(world)['consumers']).toMatchObject([
      { name: 'orders', outcome: 'loaded' },
      { name: 'billing', outcome: 'skipped', required: false },
      { name: 'last', outcome: 'loaded' },
    ]);
  });

  it('is held again when those stay silent once more', async () => {
    const world = await run({
      answers: { billing: () => undefined },
      decisions: [{ decision: 'resume' }, { decision: 'resume' }],
    });
    expectSafe(world);
    expect(world.status).toBe('HELD');
    expect(world.alerts).toHaveLength(3);
    expect(world.accepted).toEqual(new Set([previous, token]));
  });

  it('goes back when the operator says so, and asks everybody who was told', async () => {
    const world = await run({
      answers: { billing: (_, version) => (version === token ? undefined : loaded('billing', version)) },
      decisions: [{ decision: 'back' }],
    });
    expectSafe(world);
    expect(world.cause).toMatchObject({ error: 'ConsumerSilent', outcome: 'reverted', current: previous });
    expect([...world.accepted]).toEqual([previous]);
    expect(world.labels).toEqual({ AWSCURRENT: previous });
  });

  it('stops the old credential when the operator accepts', async () => {
    const world = await run({ answers: { billing: () => undefined }, decisions: [{ decision: 'accept' }] });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect([...world.accepted]).toEqual([token]);
    expect(world.labels['rotor-held']).toBeUndefined();
    expect(world.path).not.toContain('AwaitDrain');
  });

  it('asks the waves that were not told yet when the operator accepts that one stays silent', async () => {
    const world = await run({
      answers: { orders: () => undefined },
      decisions: [{ decision: 'accept' }],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(ended(world)['consumers']).toMatchObject([
      { name: 'orders', outcome: 'skipped' },
      { name: 'billing', outcome: 'loaded' },
    ]);
  });

  it('names everybody once in the report, however often the operator excuses, and asks nobody again who was excused', async () => {
    const three = [[consumer('orders')], [consumer('billing', 2)], [consumer('last', 3)]];
    const names = (world: Simulation) =>
      (ended(world)['consumers'] as { name: string; outcome: string }[]).map(
        ({ name, outcome }) => `${name} ${outcome}`,
      );
    const accepted = await run({
      consumers: three,
      answers: { orders: () => undefined, billing: () => undefined },
      decisions: [{ decision: 'accept' }, { decision: 'accept' }],
    });
    expect(accepted.status).toBe('SUCCEEDED');
    expect(names(accepted)).toEqual(['orders skipped', 'billing skipped', 'last loaded']);
    const resumed = await run({
      consumers: three,
      answers: {
        orders: () => undefined,
        billing: (ask, version) => (ask > 2 ? loaded('billing', version) : undefined),
      },
      decisions: [{ decision: 'accept' }, { decision: 'resume', skip: ['orders'] }],
    });
    expect(resumed.status).toBe('SUCCEEDED');
    expect(names(resumed)).toEqual(['orders skipped', 'billing loaded', 'last loaded']);
    expect(requests(resumed).filter((request) => request.startsWith('orders'))).toHaveLength(2);
  });

  it('says in the event of its end what was decided, also when it goes back', async () => {
    const world = await run({
      answers: { billing: (_, version) => (version === token ? undefined : loaded('billing', version)) },
      decisions: [{ decision: 'back' }],
    });
    expect(world.events.at(-1)?.type).toBe('Secret Rotation Failed');
    expect(ended(world)['decisions']).toMatchObject([{ decision: 'back', by: 'operator' }]);
  });

  it('without overlap offers no way back, and does not take one', async () => {
    const world = await run({
      overlap: 'none',
      answers: { billing: (ask, version) => (ask > 2 ? loaded('billing', version) : undefined) },
      decisions: [{ decision: 'back' }, { decision: 'resume' }],
    });
    expect(
      world.events
        .filter(({ type }) => type === 'Secret Rotation Held')
        .map(({ detail }) => detail['choices']),
    ).toEqual([
      ['resume', 'accept'],
      ['resume', 'accept'],
    ]);
    expect(world.status).toBe('SUCCEEDED');
  });

  it('alerts again every seven days for as long as nobody decides', async () => {
    const world = await run({
      answers: { billing: () => undefined },
      decisions: ['wait', 'wait', { decision: 'accept' }],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['held', 'held', 'held']);
    expect(
      Date.parse(String(world.history.at(-1)?.['timestamp'])) -
        Date.parse(String(world.history[0]?.['timestamp'])),
    ).toBeGreaterThan(14 * 86_400_000);
  });

  it('looks for logins anew after the drain has come to its deadline', async () => {
    const world = await run({
      logins: [...Array.from({ length: 12 }, () => 1), 0, 0, 0],
      decisions: [{ decision: 'resume' }, { decision: 'resume' }],
      policy: { drain: { quietSeconds: 5, deadlineSeconds: 300, openSessions: 'report' } },
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.alerts.filter(({ error }) => error === 'CredentialStillUsed').length).toBeGreaterThan(0);
  });

  it('retires again when the target had refused to', async () => {
    const world = await run({
      strikes: [{ state: 'RetirePrevious', moment: 'before', error: 'PermissionMissing', times: 1 }],
      decisions: [{ decision: 'resume' }],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect([...world.accepted]).toEqual([token]);
  });

  it('asks by the topic alone when the function that words alerts is broken', async () => {
    const world = await run({
      answers: { billing: () => undefined },
      strikes: [{ state: 'Hold', moment: 'before', error: 'Broken', times: 1 }],
      decisions: [{ decision: 'accept' }],
    });
    expect(world.status).toBe('SUCCEEDED');
    expect(world.published).toHaveLength(1);
  });
});
