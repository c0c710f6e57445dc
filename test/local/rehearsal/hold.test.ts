import { decideCommand } from '../../../domain/alerts';
import { detailTypes } from '../../../domain/events';
import { endOf, givenUp, heldAt, waitsFor, withHolds } from '../../../local/rehearsal/history';
import { commandIn, holdAlerts, tokenIn } from '../../../local/rehearsal/hold';

const executionArn = 'arn:aws:states:us-east-1:111122223333:execution:rotor-rotation:example-1';
const decide = decideCommand(executionArn, 'rotor', { decision: 'resume', taskToken: 'token-1' });
const worded = `A rotation is held: it waits.\n- Decide (resume): ${decide}\n\nExecution:  https://x/${executionArn}`;
const plain = `A secret rotation waits for a decision, and stops nothing before.\n- Decide with this task token: token-1\n\nExecution:  ${executionArn}`;

const at = (type: string, parameters?: unknown) => ({
  type,
  timestamp: new Date(0),
  ...(parameters === undefined
    ? {}
    : { taskScheduledEventDetails: { parameters: JSON.stringify(parameters) } }),
});

test('both alerts of a hold are one, and of its execution alone', () => {
  const mails = [worded, plain, 'A secret rotation did not succeed.'].map((text) => ({
    to: 'operator',
    subject: '',
    text,
  }));
  expect(holdAlerts(mails, executionArn)).toEqual([worded, plain]);
  expect(holdAlerts(mails, 'arn:aws:states:x')).toEqual([]);
});

test('both alerts lead to the same command, the plain one around its bare token', () => {
  for (const alert of [worded, plain]) {
    expect(tokenIn(alert)).toBe('token-1');
    expect(commandIn(alert)).toBe(decide);
  }
  expect(commandIn('A secret rotation did not succeed.')).toBeUndefined();
});

test('an execution waits for a token when the task that was given it is submitted, and nothing came since', () => {
  const scheduled = [at('TaskScheduled', { Message: 'token-1' }), at('TaskStarted')];
  expect(waitsFor(scheduled, 'token-1')).toBe(false);
  expect(waitsFor([...scheduled, at('TaskSubmitted')], 'token-1')).toBe(true);
  expect(waitsFor([...scheduled, at('TaskSubmitted')], 'token-0')).toBe(false);
  expect(waitsFor([...scheduled, at('TaskSubmitted'), at('TaskSucceeded')], 'token-1')).toBe(false);
});

test('how a consumer stood at the hold is kept where a decision left it out', () => {
  const silent = { name: 'reports', wave: 1, outcome: 'silent', ms: 4010 };
  const Detail = { state: 'AskWave', error: 'ConsumerSilent', consumers: [silent] };
  const history = [at('TaskScheduled', { Entries: [{ DetailType: detailTypes.held, Detail }] })];
  expect(heldAt(history)).toMatchObject({ outcome: 'held', failure: { state: 'AskWave', outcome: 'kept' } });
  const left = { ...silent, outcome: 'skipped', ms: 0 };
  expect(withHolds([left], history)).toEqual([{ ...left, whenHeld: { outcome: 'silent', ms: 4010 } }]);
  expect(withHolds([silent], history)).toEqual([silent]);
});

test('who gives up says which execution it was, and what it does', () => {
  expect(givenUp(executionArn, { status: 'RUNNING' }, { states: ['Plan', 'Hold'] }, 180_000).reason).toBe(
    `given up after 180 s: the execution ${executionArn} is RUNNING, last in the state Hold`,
  );
  expect(givenUp(executionArn, undefined, { states: [] }, 180_000).reason).toMatch(/has not begun$/);
});

test('an end without a word of the workflow has a reason', () => {
  expect(endOf({ status: 'FAILED', error: 'States.Runtime', cause: 'no such variable' })).toMatchObject({
    outcome: 'failed',
    failure: null,
    reason: 'the execution ended as FAILED States.Runtime no such variable',
  });
});
