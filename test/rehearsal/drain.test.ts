import { secretPolicyParameter } from '../../domain/names';
import { ScaledClock } from '../../local/kernel/clock';
import { keepSession } from '../../local/rehearsal/kept-session';
import { changeParameter } from '../../local/rehearsal/seeding';
import { membersOf, rejection } from '../rotators/context';
import { eventually } from './eventually';
import { fault } from './failures';
import { Intervention } from './intervention';
import { adminId, secretId, StagedRehearsal } from './staged-rehearsal';

let staged: StagedRehearsal;
const intervention = new Intervention();
beforeAll(async () => {
  staged = await StagedRehearsal.start({
    clock: new ScaledClock(25),
    settleMs: 0,
    observers: [intervention],
  });
}, 400_000);
afterAll(async () => {
  const leaks = await staged.rehearsal.leaks();
  await staged.rehearsal.stop();
  expect(leaks).toEqual([]);
});
afterEach(() => staged.cloud.idle());

/**
 * A job logs in with the credential that is in use, and follows no rotation. Whoever else has a session with that has
 * moved by the time of the drain, and closes it a moment later: the drain looks when that is done.
 */
const keep = async () => {
  const user = String(membersOf(await staged.value(secretId))['username']);
  intervention.act = async (state, moment) => {
    if (state === 'AwaitDrain' && moment === 'before')
      await eventually('everybody but the job has closed its sessions', () => isLeftAlone(user));
  };
  return keepSession(staged.cloud, staged.rehearsal.target);
};
const isLeftAlone = async (user: string) => {
  const sessions = await staged.targets.asSuperuser<{ readonly application: string }>(
    `select application_name as application from pg_stat_activity where usename = '${user}'`,
  );
  return sessions.every(({ application }) => application === nightly.application);
};
const drainBy = (openSessions: string) =>
  changeParameter(staged.cloud, secretPolicyParameter(secretId), {
    drain: { quietSeconds: 0, deadlineSeconds: 2, openSessions },
  });
const nightly = {
  application: 'nightly',
  clientAddress: '127.0.0.1',
  count: 1,
  newestBegan: expect.stringMatching(/Z$/) as string,
  oldestBegan: expect.stringMatching(/Z$/) as string,
  openSeconds: expect.any(Number) as number,
};
const failedQueries = () =>
  staged.rehearsal.applications.reduce((sum, application) => sum + application.counts().errors, 0);
const mayEndSessions = async (verb: 'grant' | 'revoke') => {
  const admin = String(membersOf(await staged.value(adminId))['username']);
  await staged.targets.asSuperuser(
    `${verb} pg_signal_backend ${verb === 'grant' ? 'to' : 'from'} "${admin}"`,
  );
};

test('a session that stays open is reported, with how long, and goes on', async () => {
  await drainBy('report');
  const session = await keep();
  expect(await staged.rehearsal.rotate()).toMatchObject({
    outcome: 'rotated',
    sessions: [nightly],
    ended: [],
  });
  await session.work();
  await session.close();
});

test('where the policy says so it is ended at the deadline, after the stop, and nobody who has moved notices', async () => {
  await drainBy('end');
  const session = await keep();
  const failedBefore = failedQueries();
  expect(await staged.rehearsal.rotate()).toMatchObject({
    outcome: 'rotated',
    sessions: [nightly],
    ended: [nightly],
  });
  await rejection(session.work());
  await staged.expectCurrentWorks();
  expect(failedQueries()).toBe(failedBefore);
});

test('a crash after the end is repeated, and ends in a rotation', async () => {
  const session = await keep();
  const crash = fault('RetirePrevious', { moment: 'after', kind: 'crash' });
  staged.rehearsal.faults.plan([crash]);
  expect(await staged.rehearsal.rotate()).toMatchObject({ outcome: 'rotated', sessions: [nightly] });
  expect(staged.rehearsal.faults.strikes(crash)).toBe(1);
  staged.rehearsal.faults.plan([]);
  await rejection(session.work());
});

test('an admin that may not end it has the rotation held with the grant, and resumed it goes on', async () => {
  await mayEndSessions('revoke');
  const session = await keep();
  const mails = staged.cloud.mails.length;
  const held = await staged.rehearsal.rotate();
  expect(held.outcome).toBe('held');
  const [alert = ''] = staged.failures(mails);
  expect(alert).toMatch(/^State: {6}RetirePrevious$/m);
  expect(alert).toMatch(/^Error: {6}PermissionMissing$/m);
  expect(alert).toContain('grant it pg_signal_backend');
  // It is stopped all the same: a session goes on, and nobody begins one.
  expect(await staged.rehearsal.target.live()).toBe(1);
  await session.work();
  await mayEndSessions('grant');
  expect(await staged.rehearsal.decide('resume')).toMatchObject({ outcome: 'rotated', ended: [nightly] });
  await rejection(session.work());
});
