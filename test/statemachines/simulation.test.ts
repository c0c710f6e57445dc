import { expectSafe, requests, run } from './expectations';
import { consumer, loaded, previous, token } from './simulated-world';

describe('a rotation that succeeds', () => {
  it('takes 15 transitions, two a wave and one a consumer', async () => {
    const world = await run({ consumers: [[consumer('a'), consumer('b')], [consumer('c', 2)]] });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.labels).toEqual({ AWSCURRENT: token, AWSPENDING: token });
    expect([...world.accepted]).toEqual([token]);
    const waiting = world.path.filter((state) => /^(WaitForDrain|AwaitDrain|Drained)$/.test(state)).length;
    // The simulated watch takes no time, so the drain goes round until the quiet time is over; a real one does not.
    expect(world.path.length - waiting + 2).toBe(15 + 2 * 2 + 3);
  });

  it('asks the second wave only after the first has answered', async () => {
    const world = await run({ consumers: [[consumer('a'), consumer('b')], [consumer('c', 2)]] });
    expect(requests(world)).toEqual([`a ${token}`, `b ${token}`, `c ${token}`]);
    expect(world.path.filter((state) => state === 'AskWave')).toHaveLength(2);
  });

  it('works without any consumer', async () => {
    const world = await run({ consumers: [] });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
  });

  it('tells those who are not waited for, ten at a time', async () => {
    const world = await run({ informed: 23 });
    expect(world.status).toBe('SUCCEEDED');
    expect(requests(world).filter((request) => request.startsWith('watcher'))).toHaveLength(23);
    expect(world.path.filter((state) => state === 'Inform')).toHaveLength(3);
    expect(
      world.events.find(({ detail }) => detail['consumer'] === 'watcher-0')?.detail['taskToken'],
    ).toBeNull();
  });

  it('leaves the old credential working where the policy says so', async () => {
    const world = await run({ policy: { retire: 'leave' } });
    expect(world.status).toBe('SUCCEEDED');
    expect(world.accepted).toEqual(new Set([previous, token]));
    expect(world.labels['rotor-held']).toBeUndefined();
  });

  it('publishes the gap where there is no overlap, and retires nothing', async () => {
    const world = await run({ overlap: 'none', meanwhile: () => undefined });
    expect(world.status).toBe('SUCCEEDED');
    expect(world.path).not.toContain('RetirePrevious');
    expect(typeof world.events.at(-1)?.detail['gapMs']).toBe('number');
    expect(world.labels['rotor-held']).toBeUndefined();
  });
});

describe('consumers', () => {
  it('reminds a silent one with a new token and takes its late word', async () => {
    const world = await run({
      answers: { orders: (ask, version) => (ask === 2 ? loaded('orders', version) : undefined) },
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    const tokens = world.events
      .filter(({ detail }) => detail['consumer'] === 'orders')
      .map(({ detail }) => detail['taskToken']);
    expect(new Set(tokens).size).toBe(2);
  });

  it('keeps the old credential, held, when a required one stays silent', async () => {
    const world = await run({ answers: { billing: () => undefined } });
    expectSafe(world);
    expect(world.status).toBe('HELD');
    expect(world.cause).toMatchObject({
      error: 'ConsumerSilent',
      outcome: 'kept',
      held: previous,
      current: token,
    });
    expect(world.accepted).toEqual(new Set([previous, token]));
    expect(world.labels['rotor-held']).toBe(previous);
  });

  it('goes on when an optional one stays silent or refuses', async () => {
    const optional = { required: false };
    const world = await run({
      consumers: [[consumer('a', 1, optional), consumer('b', 1, optional), consumer('c')]],
      answers: { a: () => undefined, b: () => 'refuse' },
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
  });

  it('goes back when a silent one is to turn the rotation back', async () => {
    const world = await run({
      policy: { onSilence: 'back' },
      answers: { billing: (_, version) => (version === token ? undefined : loaded('billing', version)) },
    });
    expectSafe(world);
    expect(world.cause).toMatchObject({ error: 'ConsumerSilent', outcome: 'reverted' });
  });

  it('goes back when one refuses: never tells the next wave, asks the first one back, stops the new credential last', async () => {
    const world = await run({
      consumers: [[consumer('a')], [consumer('b', 2), consumer('slow', 2)], [consumer('c', 3)]],
      answers: {
        b: (_, version) => (version === token ? 'refuse' : loaded('b', version)),
        slow: (_, version) => (version === token ? undefined : loaded('slow', version)),
      },
    });
    expectSafe(world);
    expect(world.status).toBe('FAILED');
    expect(world.cause).toMatchObject({
      state: 'AskWave',
      error: 'ConsumerRefused',
      outcome: 'reverted',
      held: null,
      current: previous,
    });
    expect(requests(world)).toEqual([
      `a ${token}`,
      `b ${token}`,
      `slow ${token}`,
      `a ${previous}`,
      `b ${previous}`,
      `slow ${previous}`,
    ]);
    expect(world.labels).toEqual({ AWSCURRENT: previous });
    expect([...world.accepted]).toEqual([previous]);
    expect(world.path.indexOf('RetireNew')).toBeGreaterThan(world.path.lastIndexOf('AskWave'));
  });

  it('keeps the new credential, held, while one has not come back', async () => {
    const world = await run({
      consumers: [[consumer('a')], [consumer('b', 2)]],
      answers: {
        a: (_, version) => (version === token ? loaded('a', version) : undefined),
        b: (_, version) => (version === token ? 'refuse' : loaded('b', version)),
      },
    });
    expectSafe(world);
    expect(world.cause).toMatchObject({ outcome: 'kept', held: token, current: previous });
    expect(world.accepted).toEqual(new Set([previous, token]));
  });

  it('holds on a refusal where the policy says so, and always where there is no overlap', async () => {
    for (const setting of [{ policy: { onRefusal: 'hold' } }, { overlap: 'none' as const }]) {
      const world = await run({ ...setting, answers: { orders: () => 'refuse' } });
      expect(world.cause).toMatchObject({ error: 'ConsumerRefused', outcome: 'kept', current: token });
      expect(world.labels['AWSCURRENT']).toBe(token);
      expect(world.accepted).toContain(token);
    }
  });

  it.each([
    ['another version', (name: string) => loaded(name, 'version-other')],
    ['another consumer', () => loaded('stranger', token)],
    ['another account', (name: string) => loaded(name, token, '999999999999')],
  ])('asks again when the answer is about %s, and not against the reminders', async (_, forge) => {
    const world = await run({
      consumers: [[consumer('orders', 1, { reminders: 0 })]],
      answers: { orders: (ask, version) => (ask <= 5 ? forge('orders') : loaded('orders', version)) },
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(requests(world)).toHaveLength(6);
  });
});

describe('the drain', () => {
  it('keeps the new credential when somebody still logs in with it on the way back', async () => {
    const world = await run({
      answers: { orders: (_, version) => (version === token ? 'refuse' : loaded('orders', version)) },
      logins: Array.from({ length: 300 }, () => 1),
    });
    expectSafe(world);
    expect(world.cause).toMatchObject({
      error: 'ConsumerRefused',
      outcome: 'kept',
      current: previous,
      held: token,
    });
    expect(world.accepted).toContain(token);
  });

  it('waits until nobody logs in with the old credential any more', async () => {
    const world = await run({ logins: [2, 1, 0] });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.path.filter((state) => state === 'AwaitDrain').length).toBeGreaterThanOrEqual(3);
  });

  it('ends at its deadline with the old credential kept, and says who holds it', async () => {
    const world = await run({ logins: Array.from({ length: 300 }, () => 1) });
    expectSafe(world);
    expect(world.cause).toMatchObject({ error: 'CredentialStillUsed', outcome: 'kept', held: previous });
    expect(world.cause['cause']).toBe('sessions of app: 1 by straggler from 192.0.2.1');
  });
});

describe('before FinishSecret', () => {
  it('refuses to begin while an earlier credential is held, and takes AWSPENDING away', async () => {
    const world = await run({ held: 'version-old' });
    expectSafe(world);
    expect(world.cause).toMatchObject({ state: 'Plan', error: 'PreviousStillHeld', outcome: 'unchanged' });
    expect(world.labels).toEqual({ AWSCURRENT: previous });
  });

  it.each(['two-principals', 'none'] as const)(
    'undoes what SetSecret did, with overlap %s',
    async (overlap) => {
      const world = await run({
        overlap,
        strikes: [{ state: 'TestSecret', moment: 'before', error: 'CredentialUnusable', times: 1 }],
      });
      expect(world.cause).toMatchObject({
        state: 'TestSecret',
        error: 'CredentialUnusable',
        outcome: 'reverted',
        current: previous,
      });
      expect(world.labels).toEqual({ AWSCURRENT: previous });
      expect([...world.accepted]).toContain(previous);
      if (overlap === 'two-principals') expectSafe(world);
    },
  );

  it('keeps the new value where the old one could not be restored: it may be the one that works', async () => {
    const world = await run({
      overlap: 'none',
      strikes: [
        { state: 'TestSecret', moment: 'before', error: 'CredentialUnusable', times: 1 },
        { state: 'RestorePrevious', moment: 'before', error: 'AdminRejected', times: 10 },
      ],
    });
    expect(world.cause).toMatchObject({ outcome: 'revert-failed', held: null });
    // Clients bridge with AWSPENDING, and Secrets Manager's repeat starts another attempt.
    expect(world.labels).toEqual({ AWSCURRENT: previous, AWSPENDING: token });
    expect(world.alerts).toHaveLength(1);
  });

  it.each(['PrincipalInUse', 'CloneOwnsObjects', 'PermissionMissing', 'AdminRejected'])(
    'stops nobody after %s, which SetSecret raises before it changes anything',
    async (error) => {
      const world = await run({
        meanwhile: (state, { accepted }) => {
          if (state === 'Plan') accepted.add(token);
        },
        strikes: [{ state: 'SetSecret', moment: 'before', error, times: 10 }],
      });
      expectSafe(world);
      expect(world.cause).toMatchObject({ state: 'SetSecret', error, outcome: 'unchanged' });
      // Whoever still logs in as the user that was to be reset goes on doing so.
      expect(world.accepted).toContain(token);
      expect(world.path).not.toContain('RetireUnused');
    },
  );

  it('goes on trying to restore an unreachable target, with AWSPENDING left for clients, and comes to a good end', async () => {
    const world = await run({
      overlap: 'none',
      strikes: [
        { state: 'TestSecret', moment: 'before', error: 'TargetUnreachable', times: 6 },
        { state: 'RestorePrevious', moment: 'before', error: 'TargetUnreachable', times: 8 },
      ],
    });
    expect(world.path).toContain('WaitToRestore');
    expect(world.cause).toMatchObject({ state: 'TestSecret', outcome: 'reverted' });
    expect(world.labels).toEqual({ AWSCURRENT: previous });
    expect([...world.accepted]).toEqual([previous]);
  });

  it('survives a cause that Step Functions has cut in the middle of its JSON', async () => {
    const world = await run({
      strikes: [
        {
          state: 'TestSecret',
          moment: 'before',
          error: 'CredentialUnusable',
          times: 1,
          cause: '{"errorMessage":"cut o',
        },
      ],
    });
    expectSafe(world);
    expect(world.cause).toMatchObject({ outcome: 'reverted' });
  });

  it('warns once about an unreachable target, and gives up when patience ends', async () => {
    const world = await run({
      strikes: [{ state: 'SetSecret', moment: 'before', error: 'TargetUnreachable', times: 1000 }],
    });
    expect(world.alerts.map((alert) => alert['kind'])).toEqual(['warning', 'failed']);
    expect(world.cause).toMatchObject({
      state: 'SetSecret',
      error: 'TargetUnreachable',
      outcome: 'reverted',
    });
    expect(world.labels).toEqual({ AWSCURRENT: previous });
  });

  it('abandons the rotation, and stops nothing of the other one, when somebody writes a new AWSCURRENT', async () => {
    const world = await run({
      meanwhile: (state, { labels, accepted }) => {
        if (state !== 'TestSecret') return;
        labels['AWSCURRENT'] = 'version-manual';
        accepted.add('version-manual');
      },
    });
    expectSafe(world);
    expect(world.cause).toMatchObject({
      state: 'FinishSecret',
      error: 'RotationAbandoned',
      current: 'version-manual',
    });
    expect(world.labels).toEqual({ AWSCURRENT: 'version-manual' });
    expect(world.accepted).not.toContain(token);
  });
});

describe('after FinishSecret', () => {
  it('goes on where its answer was lost and its work was done', async () => {
    const world = await run({
      strikes: [{ state: 'FinishSecret', moment: 'after', error: 'Broken', times: 1 }],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.path).toContain('WhatIsTrue');
  });

  it('succeeds where the answer of the last step was lost and its work was done', async () => {
    const world = await run({
      strikes: [{ state: 'ReleasePrevious', moment: 'after', error: 'Broken', times: 1 }],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.path).not.toContain('Hold');
  });

  it('stops nobody’s credential when AWSCURRENT was moved by another hand', async () => {
    const world = await run({
      meanwhile: (state, { labels, accepted }) => {
        if (state !== 'AwaitDrain') return;
        labels['AWSCURRENT'] = 'version-manual';
        accepted.add('version-manual');
      },
    });
    expect(world.cause).toMatchObject({
      state: 'RetirePrevious',
      error: 'RotationAbandoned',
      outcome: 'kept',
    });
    expect(world.accepted).toEqual(new Set([previous, token, 'version-manual']));
  });
});

describe('a test alone', () => {
  it('moves no label and publishes no rotation when the plan fails', async () => {
    const world = await run({
      mode: 'test',
      strikes: [{ state: 'Plan', moment: 'before', error: 'PolicyInvalid', times: 10 }],
    });
    expect(world.status).toBe('FAILED');
    expect(world.labels).toEqual({ AWSCURRENT: previous, AWSPENDING: token });
    expect(world.events).toEqual([]);
    expect(world.alerts).toHaveLength(1);
  });

  it('logs in and changes nothing', async () => {
    const world = await run({ mode: 'test' });
    expect(world.status).toBe('SUCCEEDED');
    expect(world.path).toEqual(['Plan', 'Mode', 'TestCurrent']);
    expect(world.events).toEqual([]);
  });

  it('alerts where the credential in use does not work', async () => {
    const world = await run({
      mode: 'test',
      strikes: [{ state: 'TestCurrent', moment: 'before', error: 'CredentialRejected', times: 10 }],
    });
    expect(world.status).toBe('FAILED');
    expect(world.alerts).toHaveLength(1);
    expect(world.events).toEqual([]);
  });
});
