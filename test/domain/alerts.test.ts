import * as fc from 'fast-check';
import { consoleLink, wordAlert, type FailureOutcome, type Incident } from '../../domain/alerts';
import { rotorErrors } from '../../domain/errors';
import type { Decision } from '../../domain/events';
import { anchorOf, remedies, remedyFor } from '../../domain/remedies';

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

test('a version that was kept is released only when nobody uses it, and the condition stands in the line of the command', () => {
  const { text } = wordAlert({ ...incident, outcome: 'kept', held: 'v-previous' }, runbook);
  expect(text).toContain(
    `- Only when you have seen that nobody uses version v-previous any more (ask the applications' owners, and the target who has sessions with it), release it: ${release}\n`,
  );
  expect(text).toContain(`- Then rotate again: aws secretsmanager rotate-secret --secret-id ${secretArn}\n`);
});

test('a version that another rotation holds is released only if that one does not wait', () => {
  const { text } = wordAlert(
    { ...incident, error: 'PreviousStillHeld', outcome: 'unchanged', held: 'v-previous' },
    runbook,
  );
  expect(text).toContain(
    `- Only if no rotation waits, and nobody uses version v-previous any more, release it: ${release}\n`,
  );
});

describe('where going back failed', () => {
  const stuck: Incident = {
    ...incident,
    state: 'AskWave',
    error: 'ConsumerRefused',
    outcome: 'revert-failed',
    current: 'v-token',
    held: 'v-previous',
    notes: ['The previous credential could not be made to work: TargetUnreachable'],
  };
  const stepsOf = (given: Incident) =>
    wordAlert(given, runbook).text.split('What to do:\n')[1]?.split('\n\n')[0]?.split('\n');

  test('it is found out what works and who uses it, and the release comes last', () => {
    expect(stepsOf(stuck)).toEqual([
      '- The previous credential could not be made to work: TargetUnreachable',
      '- First find out which credential works: log in with AWSCURRENT (version v-token) and with the held version v-previous; where none does, with AWSPENDING and AWSPREVIOUS.',
      "- Applications may use either, so both are kept. Take no label off and do not rotate before you know who uses what: ask the applications' owners, and the target who has sessions with it.",
      `- Step by step: ${runbook}#outcome-revert-failed`,
      '- Ask the owner of the application for the reason and mend it.',
      `- Runbook: ${runbook}#consumerrefused`,
      `- Last, only when AWSCURRENT logs in and nobody uses version v-previous any more, release it: ${release}`,
    ]);
  });

  test('with nothing held there is no other version to try but by its label, and nothing to release', () => {
    const steps = stepsOf({ ...stuck, current: null, held: null, notes: [] });
    expect(steps?.[0]).toBe(
      '- First find out which credential works: log in with AWSCURRENT; where none does, with AWSPENDING and AWSPREVIOUS.',
    );
    expect(steps?.join('\n')).not.toContain('rotor-held');
  });

  test('no alert of any such rotation has the command that rotates', () => {
    fc.assert(
      fc.property(anyIncident, (given) => {
        const { text } = wordAlert(
          { ...given, kind: 'failed', mode: 'rotate', outcome: 'revert-failed', cause: '', notes: [] },
          runbook,
        );
        expect(text).not.toContain('aws secretsmanager rotate-secret');
      }),
    );
  });
});

describe('about a test of the credential in use', () => {
  const tested: Incident = {
    ...incident,
    mode: 'test',
    state: 'TestCurrent',
    outcome: 'unchanged',
  };
  const again = `- Then test again: aws secretsmanager rotate-secret --no-rotate-immediately --secret-id ${secretArn}\n`;

  test('a value that the target refuses is not said to work, and is corrected and tested again', () => {
    const { subject, text } = wordAlert(tested, runbook);
    expect(subject).toBe('Rotor: the credential of prod/app failed its test');
    expect(text).toMatch(/^The credential in use was to be tested, .* Nothing was rotated\.\n/);
    expect(text).toContain(
      [
        'What is true now:',
        '- AWSCURRENT is version v-previous.',
        '- The target refuses version v-previous: whoever logs in with it now has to expect the same.',
        '- Nothing was changed, neither at the target nor in the secret.\n',
      ].join('\n'),
    );
    expect(text).toContain(
      `- Correct the user at the target, or the value: aws secretsmanager put-secret-value --secret-id ${secretArn} --secret-string file://value.json\n${again}`,
    );
    expect(text).toContain(`- Step by step: ${runbook}#a-failed-test\n`);
    expect(text).not.toMatch(/works as before|otate again/);
  });

  test.each([
    [
      'CredentialUnusable',
      'The target accepts the login of version v-previous, but it is not what its users need.',
    ],
    ['TargetUnreachable', 'The target could not be reached: nobody knows whether version v-previous works.'],
    ['SecretMalformed', 'The test did not come to its end: nobody knows whether version v-previous works.'],
  ])('after %s it says: %s', (error, sentence) => {
    const { subject, text } = wordAlert({ ...tested, error }, runbook);
    expect(text).toContain(`- ${sentence}\n`);
    expect(text).toContain(again);
    expect(subject.endsWith(error === 'CredentialUnusable' ? 'failed its test' : 'could not be tested')).toBe(
      true,
    );
    expect(text.includes('put-secret-value')).toBe(error === 'CredentialUnusable');
  });

  test('where nobody could read the labels it names no version', () => {
    expect(wordAlert({ ...tested, current: null }, runbook).text).toContain(
      '- The target refuses the value in AWSCURRENT: ',
    );
  });
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
  for (const state of ['RetirePrevious', 'ReleasePrevious']) {
    expect(held(state)).not.toContain('stops nothing');
    expect(held(state)).toContain('The old credential may have been stopped');
  }
});

describe('a hold', () => {
  const held = (choices: readonly Decision[], version: string | null, error = 'ConsumerSilent') =>
    wordAlert(
      {
        ...incident,
        kind: 'held',
        state: 'AskWave',
        error,
        outcome: 'kept',
        current: 'v-token',
        held: version,
        decide: { busName: 'rotor', choices, taskToken: 'token' },
      },
      runbook,
    ).text;

  test('with overlap says what accept stops, and that the label stays', () => {
    const text = held(['resume', 'back', 'accept'], 'v-previous');
    expect(text).toContain(
      '- accept goes on without those who were not heard, and stops the old credential whoever still uses it (some rotators leave that to the next rotation)\n',
    );
    expect(text).toContain('- Do not take the label rotor-held off while the rotation waits.\n');
    expect(text).toContain(`- Step by step: ${runbook}#a-held-rotation\n`);
    expect(text).not.toMatch(/rotate-secret|otate again|remove-from-version-id/);
  });

  test('without overlap promises no old credential, and speaks of no label to be left', () => {
    const text = held(['resume', 'accept'], null);
    expect(text).toContain(
      '- accept goes on without those who were not heard; an old credential that still works is stopped, whoever uses it\n',
    );
    expect(text).toContain(
      '- No version is held. Without overlap the old credential has not worked since the new one was set.\n',
    );
    expect(text).not.toContain('rotor-held');
  });

  test.each(Object.keys(rotorErrors))('after %s does not say what would be if it were none', (error) => {
    expect(held(['resume', 'back', 'accept'], 'v-previous', error)).not.toContain('otherwise rotate');
  });
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

test("a known error of AWS's or the runtime's is explained, and its link leads to the table that has it", () => {
  const { text } = wordAlert({ ...incident, error: 'Runtime.ExitError' }, runbook);
  expect(text).toContain("- The function's process ended. See its log; memory is the usual reason.\n");
  expect(text).toContain(`- Runbook: ${runbook}#errors-of-aws-and-of-the-runtime\n`);
});

test("an error that nobody knows gets the remedy for unknown ones, also by the name of an object's own member", () => {
  expect(remedyFor('Lambda.Novelty')).toMatch(/^Read the execution/);
  for (const name of ['constructor', 'toString', '__proto__']) {
    expect(remedyFor(name)).toBe(remedyFor('Lambda.Novelty'));
    expect(anchorOf(name)).toBe('errors-of-aws-and-of-the-runtime');
  }
});

test('every error of its own has a remedy that fits a chat step', () => {
  for (const name of Object.keys(rotorErrors)) {
    expect(remedyFor(name)).not.toBe(remedyFor('Lambda.Novelty'));
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
