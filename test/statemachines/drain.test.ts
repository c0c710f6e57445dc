import { ended, expectSafe, run } from './expectations';
import { consumer, loaded, previous, token, type Simulation } from './simulated-world';

const drain = (openSessions: string) => ({
  drain: { quietSeconds: 5, deadlineSeconds: 60, openSessions },
});
/** From the first look at who uses the credential to its retirement, in simulated seconds. */
function drained({ history }: Simulation): number {
  const enteredAt = (name: string) => {
    const entered = history.find(
      ({ stateEnteredEventDetails: details }) =>
        typeof details === 'object' && details !== null && Reflect.get(details, 'name') === name,
    );
    return Number(entered?.['timestamp']);
  };
  const stop = ['RetirePrevious', 'RetireNew'].map(enteredAt).find((time) => !Number.isNaN(time));
  return ((stop ?? Number.NaN) - enteredAt('AwaitDrain')) / 1000;
}

describe('sessions that stay open', () => {
  it('are reported, and hold nothing up', async () => {
    const world = await run({ policy: drain('report'), pooled: true });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.retirements).toEqual([false]);
    expect(ended(world)).toMatchObject({ sessions: [{ application: 'pooled' }], ended: [] });
  });

  it('block until the deadline, and then the rotation is held', async () => {
    const world = await run({ policy: drain('block'), pooled: true });
    expectSafe(world);
    expect(world.status).toBe('HELD');
    expect(world.cause).toMatchObject({ state: 'AwaitDrain', error: 'CredentialStillUsed' });
    expect(world.retirements).toEqual([]);
  });

  it('have until the deadline, and are ended with the stop', async () => {
    const world = await run({ policy: drain('end'), pooled: true });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(drained(world)).toBeGreaterThanOrEqual(60);
    expect(world.retirements).toEqual([true]);
    expect(ended(world)).toMatchObject({
      sessions: [{ application: 'pooled' }],
      ended: [{ application: 'pooled' }],
    });
  });

  it('are waited for no longer than they are there', async () => {
    const world = await run({ policy: drain('end') });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(drained(world)).toBeLessThan(60);
    expect(world.retirements).toEqual([false]);
    expect(ended(world)).toMatchObject({ sessions: [], ended: [] });
  });

  it('are not ended while somebody still logs in: that one is behind, and held', async () => {
    const world = await run({ policy: drain('end'), pooled: true, logins: Array<number>(20).fill(1) });
    expectSafe(world);
    expect(world.status).toBe('HELD');
    expect(world.cause).toMatchObject({ state: 'AwaitDrain', error: 'CredentialStillUsed' });
    expect(world.accepted).toContain(previous);
  });

  it('with the new credential are ended too when the rotation goes back', async () => {
    const world = await run({
      policy: drain('end'),
      pooled: true,
      consumers: [[consumer('a')]],
      answers: { a: (_, version) => (version === token ? 'refuse' : loaded('a', version)) },
    });
    expectSafe(world);
    expect(world.cause).toMatchObject({ error: 'ConsumerRefused', outcome: 'reverted' });
    expect(drained(world)).toBeGreaterThanOrEqual(60);
    expect(world.retirements).toEqual([true]);
  });

  it.each([
    ['resume', 'once more', true],
    ['accept', 'without', false],
  ])(
    'that could not be ended hold the rotation, and the decision %s stops the credential %s',
    async (decision, _, ends) => {
      const strike = { state: 'RetirePrevious', moment: 'before', error: 'PermissionMissing' } as const;
      const world = await run({
        policy: drain('end'),
        pooled: true,
        strikes: [{ ...strike, times: 1 }],
        decisions: [{ decision }],
      });
      expectSafe(world);
      expect(world.alerts[0]).toMatchObject({ state: 'RetirePrevious', error: 'PermissionMissing' });
      expect(world.status).toBe('SUCCEEDED');
      expect(world.retirements).toEqual([ends]);
    },
  );
});
