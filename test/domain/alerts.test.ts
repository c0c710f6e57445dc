import * as fc from 'fast-check';
import { consoleLink, wordAlert, type FailureOutcome, type Incident } from '../../domain/alerts';
import { rotorErrors } from '../../domain/errors';
import { remedies, remedyFor } from '../../domain/remedies';

const runbook = 'https://example.org/errors.md';
const execution = 'arn:aws:states:eu-central-1:111122223333:execution:rotor-rotation:app-12345678-t-1';
const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/app-AbCdEf';
const outcomes: readonly FailureOutcome[] = ['unchanged', 'reverted', 'kept', 'revert-failed'];
const incident: Incident = {
  kind: 'failed',
  mode: 'rotate',
  executionArn: execution,
  secret: { arn: secretArn, name: 'prod/app' },
  state: 'TestSecret',
  error: 'CredentialRejected',
  cause: 'SQLSTATE 28P01',
  outcome: 'reverted',
  current: 'v-previous',
  previous: 'v-previous',
  token: 'v-token',
  held: null,
  notes: [],
};
const release = `aws secretsmanager update-secret-version-stage --secret-id ${secretArn} --version-stage rotor-held --remove-from-version-id v-previous`;

interface Chat {
  readonly version: string;
  readonly source: string;
  readonly content: {
    readonly textType: string;
    readonly title: string;
    readonly description: string;
    readonly nextSteps: readonly string[];
    readonly keywords: readonly string[];
  };
  readonly metadata: { readonly threadId: string; readonly summary: string };
}
const chatOf = (given: Incident) => wordAlert(given, runbook).chat as Chat;

const anyIncident: fc.Arbitrary<Incident> = fc.record({
  kind: fc.constantFrom('failed' as const, 'warning' as const, 'cut-off' as const),
  mode: fc.constantFrom('rotate' as const, 'follow' as const),
  executionArn: fc.constant(execution),
  secret: fc
    .stringMatching(/^[A-Za-z0-9/_+=.@-]{1,512}$/)
    .map((name) => ({ name, arn: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf` })),
  state: fc.constantFrom('SetSecret', 'AskWave'),
  error: fc.oneof(fc.constantFrom(...Object.keys(rotorErrors)), fc.string({ maxLength: 60 })),
  cause: fc.string({ maxLength: 12_000, unit: 'grapheme' }),
  outcome: fc.constantFrom(...outcomes),
  current: fc.constantFrom('v-previous', 'v-token', 'v-other', null),
  previous: fc.constantFrom('v-previous', null),
  token: fc.constant('v-token'),
  held: fc.constantFrom('v-previous', 'v-token', null),
  notes: fc.array(fc.string({ maxLength: 500 }), { maxLength: 3 }),
});

test('the subject is ASCII on one line, of 100 characters at most, for any secret', () => {
  fc.assert(
    fc.property(anyIncident, (given) =>
      expect(wordAlert(given, runbook).subject).toMatch(/^Rotor: [\x20-\x7e]{1,93}$/),
    ),
  );
});

test('the chat form keeps the limits of its schema for any incident', () => {
  fc.assert(
    fc.property(anyIncident, (given) => {
      const { version, source, content } = chatOf(given);
      expect([version, source, content.textType]).toEqual(['1.0', 'custom', 'client-markdown']);
      expect(content.title.length).toBeLessThanOrEqual(250);
      expect(content.description.length).toBeLessThanOrEqual(8000);
      for (const step of content.nextSteps) expect(step.length).toBeLessThanOrEqual(350);
    }),
  );
});

test('the command that takes the hold off is there whole, in text and chat, however long the secret is called', () => {
  fc.assert(
    fc.property(anyIncident, (given) => {
      fc.pre(given.kind === 'failed' && given.held !== null);
      const command = `aws secretsmanager update-secret-version-stage --secret-id ${given.secret.arn} --version-stage rotor-held --remove-from-version-id ${given.held}`;
      const { text, chat } = wordAlert(given, runbook);
      const { description, nextSteps } = (chat as Chat).content;
      expect(text).toContain(command);
      expect([description, ...nextSteps].join('\n')).toContain(command);
    }),
  );
});

test('a cause without end leaves room for what is true now', () => {
  const { description } = chatOf({ ...incident, cause: 'x'.repeat(20_000) }).content;
  expect(description).toContain('AWSCURRENT is the version from before, v-previous.');
  expect(description).toContain(consoleLink(execution));
});

test('what is held is released before the rotation is tried again', () => {
  const { text } = wordAlert({ ...incident, outcome: 'kept', held: 'v-previous' }, runbook);
  const rotate = `aws secretsmanager rotate-secret --secret-id ${secretArn}`;
  expect(text.indexOf(release)).toBeGreaterThan(0);
  expect(text.indexOf(rotate)).toBeGreaterThan(text.indexOf(release));
});

test('nothing held, no release is offered', () => {
  expect(wordAlert(incident, runbook).text).not.toContain('rotor-held');
});

test('the text names secret, state, error, cause, outcome, remedy, execution and runbook', () => {
  const { text, subject } = wordAlert(incident, runbook);
  expect(subject).toBe('Rotor: rotation of prod/app failed (reverted)');
  for (const part of [
    'prod/app',
    secretArn,
    'TestSecret',
    'CredentialRejected',
    'SQLSTATE 28P01',
    'reverted',
    remedies.CredentialRejected,
    consoleLink(execution),
    `${runbook}#credentialrejected`,
  ])
    expect(text).toContain(part);
});

test.each([
  ['v-token', 'AWSCURRENT is the new version v-token; it passed its test by logging in.'],
  ['v-previous', 'AWSCURRENT is the version from before, v-previous.'],
  ['v-manual', 'AWSCURRENT is version v-manual, which something else than this rotation wrote.'],
  [null, 'Nobody could read which version AWSCURRENT names.'],
])('with AWSCURRENT on %s it says: %s', (current, sentence) => {
  expect(wordAlert({ ...incident, current }, runbook).text).toContain(sentence);
});

test('where nobody knows the version from before, no other hand is blamed', () => {
  const { text } = wordAlert({ ...incident, previous: null, current: 'v-previous' }, runbook);
  expect(text).toContain('AWSCURRENT is version v-previous.');
  expect(text).not.toContain('something else');
});

test('each outcome is told in words of its own', () => {
  const texts = outcomes.map((outcome) => wordAlert({ ...incident, outcome }, runbook).text);
  expect(texts.map((text) => text.split('What is true now:')[1]?.split('\n')[2])).toEqual([
    '- Nothing was changed at the target. The credential in use works as before.',
    '- The rotation was undone. The credential in use works as before.',
    '- Nothing that may still be in use is stopped before somebody has looked.',
    '- Going back did not come to its end: check now whether AWSCURRENT logs in.',
  ]);
});

test('what went wrong while going back comes first among the things to do', () => {
  const { nextSteps } = chatOf({ ...incident, notes: ['The labels could not be moved back'] }).content;
  expect(nextSteps[0]).toBe('The labels could not be moved back');
});

test('a warning says that the rotation goes on, and offers no command', () => {
  const warning = wordAlert({ ...incident, kind: 'warning', outcome: 'unchanged' }, runbook);
  expect(warning.subject).toBe('Rotor: rotation of prod/app waits');
  expect(warning.text).toContain('keeps working');
  expect(warning.text).not.toContain('aws secretsmanager');
});

test('a hold says that nothing is stopped before the decision, but for what may have been stopped already', () => {
  const held = (state: string) =>
    wordAlert({ ...incident, kind: 'held', outcome: 'kept', current: 'v-token', state }, runbook).text;
  expect(held('AskWave')).toContain('waits for your decision, and stops nothing before.');
  expect(held('RetirePrevious')).not.toContain('stops nothing');
  expect(held('RetirePrevious')).toContain('The old credential may have been stopped');
});

test('who is cut off from a compromised credential is told before it is stopped, and nothing is left to decide', () => {
  const alert = wordAlert(
    {
      ...incident,
      kind: 'cut-off',
      error: 'ConsumersCutOff',
      cause: 'without the new version: web',
      current: 'v-token',
    },
    runbook,
  );
  expect(alert.subject).toBe('Rotor: the compromised credential of prod/app is stopped while in use');
  expect(alert.text).toContain('without the new version: web');
  expect(alert.text).toContain('The credential from before is stopped next');
  expect(alert.text).not.toContain('aws secretsmanager');
});

test('alerts of one execution share a thread', () => {
  const other = chatOf({ ...incident, kind: 'warning' });
  expect(other.metadata.threadId).toBe(chatOf(incident).metadata.threadId);
});

test.each([
  ['aws', 'eu-central-1', 'https://eu-central-1.console.aws.amazon.com/states/'],
  ['aws-cn', 'cn-north-1', 'https://cn-north-1.console.amazonaws.cn/states/'],
  ['aws-us-gov', 'us-gov-west-1', 'https://us-gov-west-1.console.amazonaws-us-gov.com/states/'],
])('in partition %s and region %s the console is at %s', (partition, region, start) => {
  const arn = `arn:${partition}:states:${region}:111122223333:execution:rotor-rotation:name`;
  expect(consoleLink(arn)).toBe(`${start}home?region=${region}#/v2/executions/details/${arn}`);
});

test("an error of AWS's or the runtime's gets the remedy for unknown ones, also by the name of an object's own member", () => {
  expect(remedyFor('Lambda.Unknown')).toMatch(/^Read the execution/);
  for (const name of ['constructor', 'toString', '__proto__'])
    expect(remedyFor(name)).toBe(remedyFor('Lambda.Unknown'));
});

test('every error of its own has a remedy that fits a chat step', () => {
  for (const name of Object.keys(rotorErrors)) {
    expect(remedyFor(name)).not.toBe(remedyFor('Lambda.Unknown'));
    expect(remedyFor(name).length).toBeLessThanOrEqual(350);
  }
});

describe('about a secret that something else rotates', () => {
  const followed: Incident = {
    ...incident,
    mode: 'follow',
    state: 'AskWave',
    error: 'ConsumerRefused',
    outcome: 'unchanged',
    current: 'v-token',
  };
  const { text: failed } = wordAlert(followed, runbook);
  const { text: held } = wordAlert(
    {
      ...followed,
      kind: 'held',
      decide: { busName: 'rotor', choices: ['resume', 'accept'], taskToken: 'token' },
    },
    runbook,
  );

  test('nothing is said of a test, of a second credential that works, or of one that is stopped', () => {
    for (const text of [failed, held]) {
      expect(text).toContain(
        'AWSCURRENT is version v-token, which something else than Rotor has put in use.',
      );
      expect(text).not.toMatch(/passed its test|both credentials|stops the old credential|rotate-secret/);
    }
    expect(held).toContain('- accept goes on without those who were not heard\n');
  });

  test('the command that asks its applications again is what the workflow is started with to follow', () => {
    const [, machine, input = ''] =
      /start-execution --region eu-central-1 --state-machine-arn (\S+) --input '(.*)'/.exec(failed) ?? [];
    expect(machine).toBe('arn:aws:states:eu-central-1:111122223333:stateMachine:rotor-rotation');
    expect(JSON.parse(input)).toEqual({
      secretArn,
      versionId: 'v-token',
      previousVersionId: 'v-previous',
      heldVersionId: null,
      mode: 'follow',
    });
  });
});
