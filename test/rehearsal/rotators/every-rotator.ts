import { functionsByRole } from '../../../local/rehearsal/count-calls';
import { keepSession } from '../../../local/rehearsal/kept-session';
import { targets } from '../../../local/targets/registry';
import { rotators, type RotatorName } from '../../../rotators/registry';
import { eventually } from '../eventually';
import { FailingRehearsal, fault } from '../failures';

const rotations = 10;

/** The tasks in which a verb works at the target, in the order of a rotation. */
const verbs = ['CreateSecret', 'SetSecret', 'TestSecret', 'AwaitDrain', 'RetirePrevious'] as const;
const unusable = fault('TestSecret', { errorName: 'CredentialUnusable' });
const crashes = (['before', 'after'] as const).map((moment) => ({ moment, kind: 'crash' as const }));

/**
 * What every rotator has to stand with its real counterpart, in the deployed template: rotations while applications work,
 * a crash of every function that runs one of its verbs, and going back.
 *
 * One file a rotator calls this, so that they run side by side. `pace`: how long each application rests between two uses of
 * the credential, where one of them costs more than a query.
 */
export function rehearseRotator(name: RotatorName, pace: { readonly restMs?: number } = {}): void {
  const rotator = rotators[name];
  const { connectionsPerVerb } = targets[name].facts;
  const { overlap, usage, mint, endsSessions } = rotator.traits(rotator.example.settings);
  const hasOverlap = overlap !== 'none';

  describe(`${name} with its real counterpart`, () => {
    let failing: FailingRehearsal;
    beforeAll(async () => {
      failing = await FailingRehearsal.start(name, pace);
    });
    afterAll(() => failing.stop());

    it(`rotates ${String(rotations)} times while three applications work, and none of them fails`, async () => {
      const { applications, server, cloud } = failing.rehearsal;
      const counts = () => applications.map((application) => application.counts());
      const before = counts();
      const logins = async () =>
        (await server.logins()).accepted.filter(({ application }) => application === 'rotor');
      const refusedBefore = (await server.logins()).refused.length;
      const loginsBefore = (await logins()).length;
      const journalBefore = cloud.journal.entries.length;
      for (let count = 1; count <= rotations; count++) {
        const mailsBefore = cloud.mails.length;
        const countsBefore = counts();
        const { outcome, refusedTasks, transitions } = await failing.rotateWith();
        const alerts = cloud.mails.slice(mailsBefore).map(({ text }) => text);
        expect([outcome, refusedTasks, ...(outcome === 'rotated' ? [] : alerts)]).toEqual(['rotated', 0]);
        // Two waves, three consumers; a longer drain looks more often.
        expect(transitions).toBeLessThanOrEqual(17 + 2 * 2 + 3 + 6);
        await eventually('each application has used it', () =>
          Promise.resolve(
            counts().every(({ queries, errors }, index) => {
              const { queries: used, errors: failed } = countsBefore[index] ?? { queries: 0, errors: 0 };
              // One of them may have begun before the rotation did.
              return queries + errors > used + failed + 1;
            }),
          ),
        );
      }
      const after = counts();
      expect(
        applications.map((application, index) => application.failures().slice(before[index]?.errors ?? 0)),
      ).toEqual([[], [], []]);
      // Each of them used its credential in every rotation: otherwise their silence would prove nothing.
      for (const [index, { queries }] of after.entries())
        expect(queries - (before[index]?.queries ?? 0)).toBeGreaterThan(rotations);
      if (hasOverlap) expect((await server.logins()).refused.length).toBe(refusedBefore);
      const functions = await functionsByRole(cloud);
      const calls = cloud.journal.entries
        .slice(journalBefore)
        .filter(
          ({ service, roleArn, userAgent }) =>
            service === 'secretsmanager' &&
            functions.has(roleArn ?? '') &&
            !userAgent.includes('app/rotor-waiting'),
        );
      // What a target mints takes two more: where it left a value, and what stands under other labels.
      expect(calls.length / rotations).toBeLessThanOrEqual(mint === 'target' ? 18 : 15);
      // As PostgreSQL's budget has it, a host: set, test, watch twice, retire.
      if (connectionsPerVerb !== null)
        expect(((await logins()).length - loginsBefore) / rotations).toBeLessThanOrEqual(
          5 * connectionsPerVerb,
        );
    });

    const taken = verbs.filter(
      (state) => (usage || state !== 'AwaitDrain') && (hasOverlap || state !== 'RetirePrevious'),
    );
    it.each(taken.flatMap((state) => crashes.map((crash) => ({ state, ...crash }))))(
      'a crash $moment the effect of $state leaves a working AWSCURRENT and a rotation that ends',
      async ({ state, ...crash }) => {
        expect((await failing.rotateWith(fault(state, crash))).outcome).toBe('rotated');
      },
    );

    it.each(
      (hasOverlap ? ['RetireUnused'] : ['RestorePrevious', 'ProvePrevious']).flatMap((state) =>
        crashes.map((crash) => ({ state, ...crash })),
      ),
    )(
      'a crash $moment the effect of $state, in going back, leaves a working AWSCURRENT',
      async ({ state, ...crash }) => {
        expect((await failing.rotateWith(unusable, fault(state, crash))).outcome).toBe('reverted');
      },
    );

    it('an application that refuses turns the rotation back, or has it held where nothing overlaps', async () => {
      expect((await failing.rotateRefused()).outcome).toBe(hasOverlap ? 'reverted' : 'held');
    });

    if (endsSessions)
      it('a session that is kept is ended at the deadline where the policy says so, and the event says whose it was', async () => {
        const { cloud, target } = failing.rehearsal;
        await failing.changePolicy({
          drain: { quietSeconds: 0, deadlineSeconds: 3600, openSessions: 'end' },
        });
        const session = await keepSession(cloud, target);
        // Each application comes to its next query and changes its own session.
        const [rotation] = await Promise.all([failing.rotateWith(), failing.endDrainOnceAlone('nightly')]);
        expect(rotation).toMatchObject({
          outcome: 'rotated',
          sessions: [{ application: 'nightly', count: 1 }],
          ended: [{ application: 'nightly', count: 1 }],
        });
        await expect(session.work()).rejects.toThrow();
      });

    it('rotates after all of this', async () => {
      await failing.expectNextSucceeds();
    });
  });
}
