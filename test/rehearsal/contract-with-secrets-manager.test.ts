import { heldLabel } from '../../domain/names';
import { ScaledClock } from '../../local/kernel/clock';
import { eventually } from './eventually';
import { fault, longDeadlineSeconds } from './failures';
import { HandMadeConsumer } from './hand-made-consumer';
import { Intervention } from './intervention';
import { SecretsManagerSide, steps, type Answer } from './secrets-manager-side';
import { secretId, StagedRehearsal } from './staged-rehearsal';

let stage: StagedRehearsal;
let side: SecretsManagerSide;
const intervention = new Intervention();

beforeAll(async () => {
  stage = await StagedRehearsal.start({ clock: new ScaledClock(25), observers: [intervention] });
  const { ARN } = await stage.cloud.call<{ ARN: string }>('secretsmanager', 'DescribeSecret', {
    SecretId: secretId,
  });
  side = new SecretsManagerSide(stage.rehearsal, ARN);
});
afterEach(() => {
  intervention.stop();
  stage.rehearsal.faults.plan([]);
});
afterAll(async () => {
  const leaks = await stage.rehearsal.leaks();
  await stage.rehearsal.stop();
  expect(leaks).toEqual([]);
});

/** Everything that a repeat may not touch. */
async function everything(): Promise<object> {
  return { labels: await stage.labels(), roles: await stage.roles(), executions: await side.executions() };
}

test.each(steps)(
  '%s, repeated around every task of a rotation, starts and changes nothing of its own',
  async (step) => {
    const answers: Promise<{ readonly at: string; readonly answer: Answer }>[] = [];
    let token = '';
    intervention.act = async (state, moment) => {
      token = (await stage.versionWith('AWSPENDING')) ?? token;
      const answer = side.repeat(step, token).then((given) => ({ at: `${moment} ${state}`, answer: given }));
      answers.push(answer);
      // createSecret waits for a value that this very task may be about to store, and finishSecret for the label.
      if (step === 'setSecret' || step === 'testSecret') await answer;
      // By now they wait for nothing more; whoever is still under way is to find the execution running.
      if (state === 'PublishSucceeded') await Promise.all(answers);
    };
    const before = stage.cloud.journal.entries.length;

    const rotation = await stage.rehearsal.rotate();

    intervention.stop();
    const given = await Promise.all(answers);
    expect(rotation.outcome).toBe('rotated');
    expect(given.length).toBeGreaterThanOrEqual(24);
    const errors = given.filter(({ answer }) => answer.errorType !== undefined);
    // A test that comes before there is a value says so, whatever Secrets Manager thinks of it.
    if (step === 'testSecret')
      for (const { at, answer } of errors.splice(0, errors.length)) {
        expect(['before Plan', 'after Plan', 'before CreateSecret']).toContain(at);
        expect(answer.errorType).toBe('PendingValueMissing');
      }
    expect(errors).toEqual([]);
    expect(await side.executions(token)).toHaveLength(1);
    expect(await stage.versionWith('AWSCURRENT')).toBe(token);
    const made = stage.cloud.journal.entries.slice(before);
    expect(made.filter(({ operation }) => operation === 'PutSecretValue')).toHaveLength(1);
    expect(
      made.filter(({ operation }) => operation === 'StartExecution' && step !== 'createSecret').length,
    ).toBeLessThanOrEqual(1);
    await stage.expectCurrentWorks();
  },
);

test('each step, repeated after the end, succeeds and touches nothing', async () => {
  await stage.rehearsal.rotate();
  const token = (await stage.versionWith('AWSCURRENT')) ?? '';
  const before = await everything();
  for (const step of steps) expect(await side.repeat(step, token)).toEqual({});
  expect(await everything()).toEqual(before);
});

test('each step, repeated while the rotation is held with both credentials kept, touches nothing', async () => {
  stage.rehearsal.faults.plan([fault('AwaitDrain', { always: true })]);
  const rotation = await stage.rehearsal.rotate();
  expect(rotation.outcome).toBe('held');
  const token = (await stage.versionWith('AWSCURRENT')) ?? '';
  expect(await stage.versionWith(heldLabel)).toBeDefined();
  const before = await everything();
  expect(await stage.rehearsal.target.live()).toBe(2);

  for (const step of steps) expect(await side.repeat(step, token)).toEqual({});

  expect(await everything()).toEqual(before);
  expect((await stage.rehearsal.decide('accept')).outcome).toBe('rotated');
  expect(await stage.versionWith(heldLabel)).toBeUndefined();
});

test('each step of a rotation that went back answers RotationReverted with execution and state', async () => {
  stage.rehearsal.faults.plan([fault('TestSecret', { always: true })]);
  let token = '';
  intervention.onceBefore('TestSecret', async () => (token = (await stage.versionWith('AWSPENDING')) ?? ''));
  const rotation = await stage.rehearsal.rotate();
  expect(rotation.outcome).toBe('reverted');
  const before = await everything();

  for (const step of steps) {
    const { errorType, errorMessage } = await side.repeat(step, token);
    expect(errorType).toBe('RotationReverted');
    expect(errorMessage).toContain(side.nameOf(token, 1));
    expect(errorMessage).toContain('after RehearsedFault in state TestSecret');
  }

  expect(await everything()).toEqual(before);
});

test('an execution that somebody aborts is followed by a second attempt, which succeeds', async () => {
  const mails = stage.cloud.mails.length;
  const unreachable = fault('SetSecret', { always: true, errorName: 'TargetUnreachable' });
  stage.rehearsal.faults.plan([unreachable]);
  const token = await side.begin();
  const [first, second] = [side.nameOf(token, 1), side.nameOf(token, 2)];
  await eventually('SetSecret fails', () => Promise.resolve(stage.rehearsal.faults.strikes(unreachable) > 0));
  await stage.cloud.call('sfn', 'StopExecution', { executionArn: side.arnOf(first) });
  stage.rehearsal.faults.plan([]);
  expect(await stage.versionWith('AWSPENDING')).toBe(token);

  expect(await side.repeat('createSecret', token)).toEqual({});
  await eventually('the second attempt ends', () => side.hasEnded(second));

  expect(await side.executions(token)).toEqual([first, second]);
  expect((await side.execution(second)).status).toBe('SUCCEEDED');
  expect(await stage.versionWith('AWSCURRENT')).toBe(token);
  expect(await side.repeat('finishSecret', token)).toEqual({});
  await stage.expectCurrentWorks();
  await stage.cloud.idle();
  // The workflow could not say that it was ended; the rule on its status did.
  expect(stage.cloud.mails.slice(mails).filter(({ text }) => text.includes('ABORTED'))).toHaveLength(1);
});

test('after a refusal by a consumer no further attempt is started, even where AWSPENDING has come back', async () => {
  const auditor = new HandMadeConsumer(stage.rehearsal, 'auditor');
  await auditor.enrol({ acknowledge: 'required', deadlineSeconds: longDeadlineSeconds, reminders: 0 });
  const token = await side.begin();
  const name = side.nameOf(token, 1);
  const request = await auditor.asked(side.arnOf(name), (version) => version === token);
  await auditor.answer(request, { outcome: 'refused', reason: 'the books do not balance' });
  const requestBack = await auditor.asked(side.arnOf(name), (version) => version !== token);
  await auditor.answer(requestBack, { outcome: 'loaded' });
  await eventually('the rotation ends', () => side.hasEnded(name));
  await auditor.withdraw();
  const failure: unknown = JSON.parse((await side.execution(name)).cause ?? '{}');
  expect(failure).toMatchObject({ error: 'ConsumerRefused', outcome: 'reverted' });
  expect(await side.repeat('createSecret', token)).toMatchObject({ errorType: 'RotationReverted' });

  await stage.moveLabel('AWSPENDING', { to: token });
  const { errorType, errorMessage } = await side.repeat('createSecret', token);
  await stage.moveLabel('AWSPENDING', { from: token });

  expect(errorType).toBe('RotationReverted');
  expect(errorMessage).toContain('ConsumerRefused in state AskWave');
  expect(await side.executions(token)).toEqual([name]);
  await stage.expectCurrentWorks();
});

test('RotateImmediately=false logs in with the current value and changes nothing', async () => {
  const before = { labels: await stage.labels(), roles: await stage.roles() };
  const mails = stage.cloud.mails.length;
  const journal = stage.cloud.journal.entries.length;

  expect((await side.testAlone()).status).toBe('SUCCEEDED');

  expect({ labels: await stage.labels(), roles: await stage.roles() }).toEqual(before);
  expect(stage.cloud.mails).toHaveLength(mails);
  const writes = ['PutSecretValue', 'UpdateSecretVersionStage', 'UpdateSecret'];
  const made = stage.cloud.journal.entries.slice(journal);
  expect(made.filter(({ operation }) => writes.includes(operation))).toEqual([]);
});

test('RotateImmediately=false alerts where the current value does not log in, and changes nothing', async () => {
  const good = await stage.value(secretId);
  await stage.write(secretId, stage.rehearsal.target.wrong(good));
  const before = { labels: await stage.labels(), roles: await stage.roles() };
  const mails = stage.cloud.mails.length;

  expect((await side.testAlone()).status).toBe('FAILED');

  expect({ labels: await stage.labels(), roles: await stage.roles() }).toEqual(before);
  await stage.cloud.idle();
  const alerts = stage.failures(mails);
  expect(alerts).toHaveLength(1);
  expect(alerts[0]).toContain('\nState:      TestCurrent\n');
  expect(alerts[0]).toContain('\nError:      CredentialRejected\n');
  await stage.write(secretId, good);
});

describe('a value written by hand while a rotation runs', () => {
  test.each(['SetSecret', 'TestSecret', 'FinishSecret'])(
    'with the user in use, before %s, stays in use and works; the rotation is abandoned',
    async (state) => {
      let written = '';
      intervention.onceBefore(state, async () => {
        const text = JSON.parse(await stage.value(secretId)) as object;
        written = await stage.write(secretId, JSON.stringify({ ...text, note: 'by hand' }));
      });
      await expectAbandoned(() => written);
      expect(await stage.rehearsal.target.live()).toBe(1);
    },
  );

  test('with the user that the rotation was about to bring in, stays in use and works', async () => {
    let written = '';
    intervention.onceBefore('FinishSecret', async () => {
      const current = JSON.parse(await stage.value(secretId)) as { readonly username: string };
      const other = current.username.endsWith('_clone')
        ? current.username.slice(0, -6)
        : `${current.username}_clone`;
      const password = crypto.randomUUID();
      await stage.targets.asSuperuser(`alter role ${other} login password '${password}'`);
      written = await stage.write(secretId, JSON.stringify({ ...current, username: other, password }));
    });
    await expectAbandoned(() => written);
  });

  async function expectAbandoned(written: () => string): Promise<void> {
    const mails = stage.cloud.mails.length;
    const rotation = await stage.rehearsal.rotate();
    await stage.cloud.idle();
    expect(rotation.outcome).toBe('reverted');
    expect(await stage.versionWith('AWSCURRENT')).toBe(written());
    await stage.expectNothingPending();
    await stage.expectCurrentWorks();
    const alerts = stage.failures(mails);
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toContain('\nError:      RotationAbandoned\n');
    expect(alerts[0]).toContain(
      `AWSCURRENT is version ${written()}, which something else than this rotation wrote`,
    );
  }

  test('is rotated in its turn', async () => {
    expect((await stage.rehearsal.rotate()).outcome).toBe('rotated');
    await stage.expectCurrentWorks();
  });
});
