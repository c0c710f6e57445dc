import { ended, expectSafe, requests, run } from './expectations';
import { consumer, loaded, previous, type Strike, token, type World } from './simulated-world';

const there = 'eu-west-1';
const behind = (times: number): World['replicas'] => ({
  [there]: [...Array.from({ length: times }, () => 'behind' as const), 'served'],
});
const states = (path: readonly string[]) =>
  path.filter((state) => /Replica|AskWave|FinishSecret|RevertLabels|RetireNew/.test(state));
const denied: Strike = {
  state: 'AwaitReplicas',
  moment: 'before',
  error: 'AccessDeniedException',
  times: 1,
};

describe('a secret with replicas', () => {
  it('costs nothing where it has none', async () => {
    const world = await run();
    expect(world.replicaLooks).toEqual([]);
    expect(states(world.path)).toEqual(['FinishSecret', 'AskWave', 'AskWave']);
  });

  it('is asked about after AWSCURRENT has moved and before anybody is told', async () => {
    const world = await run({ replicas: behind(0), informed: 1 });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.replicaLooks).toEqual([`${there} ${token}`]);
    const order = ['FinishSecret', 'AwaitReplicas', 'Inform', 'AskWave'];
    expect(world.path.filter((state) => order.includes(state))).toEqual([...order, 'AskWave']);
  });

  it('is waited for until each region serves the new version, and only those that do not are asked again', async () => {
    const world = await run({ replicas: { ...behind(3), 'us-west-2': ['served'] } });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.replicaLooks).toEqual([
      `${there} us-west-2 ${token}`,
      `${there} ${token}`,
      `${there} ${token}`,
      `${there} ${token}`,
    ]);
    const look = ['AwaitReplicas', 'Replicated'];
    expect(states(world.path)).toEqual([
      'FinishSecret',
      ...[...look, 'WaitForReplicas', ...look, 'WaitForReplicas', ...look, 'WaitForReplicas', ...look],
      ...['AskWave', 'AskWave'],
    ]);
  });

  it('is not asked about while AWSPENDING is tried', async () => {
    const world = await run({ replicas: behind(1), verifiers: [consumer('orders')] });
    expectSafe(world);
    expect(states(world.path).slice(0, 3)).toEqual(['AskWave', 'FinishSecret', 'AwaitReplicas']);
  });

  it('is waited for where somebody else has rotated it', async () => {
    const { status, replicaLooks } = await run({ mode: 'follow', replicas: behind(1) });
    expect([status, replicaLooks.length]).toEqual(['SUCCEEDED', 2]);
  });

  it('is waited for where FinishSecret did its work and its answer was lost', async () => {
    const strikes = [{ state: 'FinishSecret', moment: 'after', error: 'Lost', times: 1 }] as const;
    const world = await run({ replicas: behind(1), strikes });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.replicaLooks).toEqual([`${there} ${token}`, `${there} ${token}`]);
  });
});

describe('a replica that stays behind', () => {
  const stuck: World['replicas'] = { [there]: ['behind'] };

  it('holds the rotation at the deadline, with both credentials working and nobody asked', async () => {
    const world = await run({ replicas: stuck });
    expectSafe(world);
    expect(world.status).toBe('HELD');
    expect(requests(world)).toEqual([]);
    expect(world.alerts.at(-1)).toMatchObject({
      state: 'AwaitReplicas',
      error: 'ReplicaBehind',
      cause: `version ${token} is not served in ${there}`,
    });
    expect([...world.accepted].sort()).toEqual([previous, token]);
    // The looks of five minutes: after 1, 3, 7, 15, 31 and then 60 seconds each.
    expect(world.replicaLooks).toHaveLength(11);
  });

  it('holds it at once where the replication failed, with the reason, and is waited for anew on resume', async () => {
    const world = await run({
      replicas: { [there]: ['failed', 'behind', 'served'] },
      decisions: [{ decision: 'resume' }],
    });
    expectSafe(world);
    expect(world.alerts[0]?.['cause']).toBe(
      `version ${token} is not served in ${there}; about ${there}: simulated`,
    );
    expect(world.status).toBe('SUCCEEDED');
    expect(world.replicaLooks).toHaveLength(3);
    expect(requests(world)).toEqual([`orders ${token}`, `billing ${token}`]);
  });

  it('is left behind when the operator accepts: everybody is asked and waited for all the same', async () => {
    const world = await run({ replicas: stuck, decisions: [{ decision: 'accept' }] });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(ended(world)['consumers']).toMatchObject([
      { name: 'orders', outcome: 'loaded' },
      { name: 'billing', outcome: 'loaded' },
    ]);
  });

  it('goes back when the operator says so, and waits there for the old version', async () => {
    const world = await run({
      replicas: { [there]: ['failed', 'behind', 'served'] },
      decisions: [{ decision: 'back' }],
    });
    expectSafe(world);
    expect(world.cause).toMatchObject({ error: 'ReplicaBehind', outcome: 'reverted', current: previous });
    expect(world.replicaLooks).toEqual([`${there} ${token}`, `${there} ${previous}`, `${there} ${previous}`]);
    expect([...world.accepted]).toEqual([previous]);
  });

  it('is held where nobody may look, and the cause says why', async () => {
    const world = await run({
      replicas: behind(0),
      strikes: [denied],
      decisions: [{ decision: 'resume' }],
    });
    expectSafe(world);
    expect(world.alerts[0]).toMatchObject({
      state: 'AwaitReplicas',
      error: 'ReplicaBehind',
      cause: `version ${token} is not served in ${there}; about ${there}: nobody could look (AccessDeniedException)`,
    });
    expect(world.status).toBe('SUCCEEDED');
  });

  it('does not keep a compromised credential alive for longer than a minute', async () => {
    const world = await run({
      replicas: stuck,
      policy: { urgency: 'compromised', replicaDeadlineSeconds: 86_400 },
    });
    expect(world.status).toBe('SUCCEEDED');
    expect(world.replicaLooks).toHaveLength(9);
    expect([...world.accepted]).toEqual([token]);
    expect(world.alerts).toMatchObject([
      { kind: 'cut-off', cause: `without the new version: the replica in ${there}` },
    ]);
  });

  it('does not hold up a compromised credential where nobody may look', async () => {
    const world = await run({
      replicas: behind(0),
      strikes: [{ ...denied, times: 1000 }],
      policy: { urgency: 'compromised' },
    });
    expect(world.status).toBe('SUCCEEDED');
    expect([...world.accepted]).toEqual([token]);
    expect(world.alerts).toMatchObject([{ kind: 'cut-off' }]);
  });
});

describe('going back', () => {
  const refusal: World['answers'] = {
    billing: (_, version) => (version === token ? 'refuse' : loaded('billing', version)),
  };

  it('waits until each region serves the old version before anybody is asked back', async () => {
    const world = await run({ answers: refusal, replicas: { [there]: ['served', 'behind', 'served'] } });
    expectSafe(world);
    expect(world.replicaLooks).toEqual([`${there} ${token}`, `${there} ${previous}`, `${there} ${previous}`]);
    expect(world.cause).toMatchObject({ error: 'ConsumerRefused', outcome: 'reverted' });
    expect(states(world.path.slice(world.path.lastIndexOf('RevertLabels')))).toEqual([
      'RevertLabels',
      ...['AwaitReplicas', 'Replicated', 'WaitForReplicas', 'AwaitReplicas', 'Replicated'],
      ...['AskWave', 'RetireNew'],
    ]);
  });

  it('keeps the new credential for whoever reads it in a region that stays behind', async () => {
    const world = await run({ answers: refusal, replicas: { [there]: ['served', 'behind'] } });
    expectSafe(world);
    // Whoever has loaded the new version is asked to come back all the same.
    expect(requests(world)).toContain(`orders ${previous}`);
    expect(world.cause).toMatchObject({ error: 'ConsumerRefused', outcome: 'kept', current: previous });
    expect(world.alerts.at(-1)?.['notes']).toEqual([
      expect.stringContaining(`the replica in ${there}`) as unknown,
    ]);
    expect([...world.accepted].sort()).toEqual([previous, token]);
    expect(world.path).not.toContain('RetireNew');
  });

  it('keeps it likewise where nobody may look', async () => {
    const world = await run({
      answers: refusal,
      replicas: { [there]: ['served'] },
      strikes: [{ ...denied, after: 1 }],
    });
    expectSafe(world);
    expect(world.cause).toMatchObject({ error: 'ConsumerRefused', outcome: 'kept', current: previous });
    expect(world.alerts.at(-1)?.['notes']).toEqual([
      expect.stringContaining(`the replica in ${there}`) as unknown,
    ]);
    expect([...world.accepted].sort()).toEqual([previous, token]);
  });
});
