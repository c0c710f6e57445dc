import { formUrgentWave } from '../../domain/waves';
import { parseEnrolment, parsePolicy } from '../../domain/policy';
import { ended, expectSafe, run } from './expectations';
import { consumer, previous, text, token } from './simulated-world';

const urgent = { policy: { urgency: 'compromised' } };
const excusable = (name: string) => consumer(name, 1, { required: false });

describe('a compromised credential', () => {
  it('is stopped although applications refuse or stay silent, and people are told who is cut off', async () => {
    const world = await run({
      ...urgent,
      consumers: [[excusable('orders'), excusable('billing'), excusable('web')]],
      answers: { orders: () => 'refuse', billing: () => undefined },
      // Nobody looks who still logs in.
      logins: [3, 3, 3],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.accepted.has(previous)).toBe(false);
    expect(world.path).not.toContain('AwaitDrain');
    const alerts = world.alerts.filter(({ kind }) => kind === 'cut-off');
    expect(alerts).toMatchObject([
      { error: 'ConsumersCutOff', cause: 'without the new version: orders, billing' },
    ]);
    expect(ended(world)['consumers']).toMatchObject([
      { name: 'orders', outcome: 'refused' },
      { name: 'billing', outcome: 'silent' },
      { name: 'web', outcome: 'loaded' },
    ]);
    expect(world.retirements).toEqual([true]);
  });

  it('cuts nobody off, and tells nobody so, where everybody has loaded', async () => {
    const world = await run({ ...urgent, consumers: [[excusable('orders')]] });
    expectSafe(world);
    expect(world.alerts).toEqual([]);
    expect(world.retirements).toEqual([true]);
  });

  it('waits a minute and no longer for one that says working, or answers about the old version', async () => {
    for (const answer of [undefined, { consumer: 'orders', versionId: previous, account: '111122223333' }]) {
      const world = await run({
        ...urgent,
        consumers: [[consumer('orders', 1, { required: false, askSeconds: 20, reminders: 2 })]],
        answers: { orders: () => answer },
        ...(answer === undefined ? { heartbeats: { orders: 10 } } : {}),
      });
      expectSafe(world);
      expect(world.status).toBe('SUCCEEDED');
      const asked = world.events.find(({ type }) => type === 'Secret Refresh Requested')?.detail['time'];
      const spentMs = Date.parse(text(ended(world)['time'])) - Date.parse(text(asked));
      expect(spentMs).toBeGreaterThanOrEqual(60_000);
      expect(spentMs).toBeLessThan(90_000);
      expect(ended(world)['consumers']).toMatchObject([{ name: 'orders', outcome: 'silent' }]);
    }
  });

  it('is stopped although the wave could not be asked at all, and everybody is named', async () => {
    const many = Array.from({ length: 41 }, (_, index) => excusable(`app-${String(index)}`));
    const world = await run({
      ...urgent,
      consumers: [many],
      strikes: [{ state: 'AskApart', moment: 'before', error: 'States.Runtime', times: 1000 }],
    });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.accepted.has(previous)).toBe(false);
    expect(world.alerts.filter(({ kind }) => kind === 'cut-off')).toHaveLength(1);
    expect((ended(world)['consumers'] as readonly unknown[]).length).toBe(41);
  });

  it('is not brought back by an operator', async () => {
    const world = await run({
      ...urgent,
      strikes: [{ state: 'RetirePrevious', moment: 'before', error: 'PermissionMissing', times: 1 }],
      decisions: [{ decision: 'back' }, { decision: 'accept' }],
    });
    expect(world.status).toBe('SUCCEEDED');
    expect(world.labels['AWSCURRENT']).toBe(token);
    expect((world.alerts[0]?.['decide'] as { readonly choices: unknown }).choices).toEqual([
      'resume',
      'accept',
    ]);
  });

  it('is rotated in one short wave in which nobody is required and nobody verifies', () => {
    const enrolments = {
      canary: parseEnrolment('{"wave":1,"phase":"verify"}', 'canary'),
      rest: parseEnrolment('{"wave":2,"deadlineSeconds":30,"reminders":0}', 'rest'),
      told: parseEnrolment('{"acknowledge":"none"}', 'told'),
    };
    const { consumers } = parsePolicy('{"consumers":{"quorum":{"web":1}}}', 'policy');
    expect(formUrgentWave(enrolments, consumers, '111122223333')).toEqual({
      waves: [
        [
          {
            name: 'canary',
            wave: 1,
            account: '111122223333',
            required: false,
            askSeconds: 20,
            reminders: 2,
            group: null,
          },
          {
            name: 'rest',
            wave: 1,
            account: '111122223333',
            required: false,
            askSeconds: 30,
            reminders: 0,
            group: null,
          },
        ],
      ],
      informed: [{ name: 'told', wave: 1 }],
      verifiers: [],
      quorums: [],
    });
  });
});
