import { detailTypes, operatorSource, type Decision } from './events';
import { heldLabel } from './names';
import { anchorOf, remedyFor } from './remedies';

/** How a rotation that did not succeed left things. */
export type FailureOutcome = 'unchanged' | 'reverted' | 'kept' | 'revert-failed';

/** What an alert is about: ids, names and error names, never a value. */
export interface Incident {
  readonly kind: 'failed' | 'warning' | 'held' | 'cut-off';
  /** `follow`: something else than Rotor rotates the secret. */
  readonly mode: 'rotate' | 'test' | 'follow';
  readonly executionArn: string;
  readonly secret: { readonly arn: string; readonly name: string };
  readonly state: string;
  readonly error: string;
  /** Redacted by whoever raised the error. */
  readonly cause: string;
  readonly outcome: FailureOutcome;
  /** The version that AWSCURRENT names; null where nobody could find out. */
  readonly current: string | null;
  /** The version that was in use when the rotation began. */
  readonly previous: string | null;
  /** The rotation's own version. */
  readonly token: string;
  /** The version that carries the hold, if one does. */
  readonly held: string | null;
  /** What went wrong while going back. */
  readonly notes: readonly string[];
  /** How a held rotation takes its decision; the token is a capability and stands in this alert alone. */
  readonly decide?: {
    readonly busName: string;
    readonly choices: readonly Decision[];
    readonly taskToken: string;
  };
}

/** One alert in the forms that its readers need. */
export interface AlertMessage {
  /** ASCII, 100 characters at most (SNS: Publish, Subject). */
  readonly subject: string;
  readonly text: string;
  /** Amazon Q Developer in chat applications, custom notification schema 1.0. */
  readonly chat: object;
}

/** Longest next step of the chat schema. */
const chatStepLength = 350;
/** The chat schema's description has 8,000 characters; what is true now must have room after the cause. */
const chatCauseLength = 2000;

/** Says in words what went wrong, what is true now and what to do. */
export function wordAlert(incident: Incident, runbookUrl: string): AlertMessage {
  const { secret, state, error, cause, outcome, kind, mode } = incident;
  const subject = ascii(
    {
      warning: `Rotor: rotation of ${secret.name} waits`,
      held: `Rotor: rotation of ${secret.name} is held and needs a decision`,
      'cut-off': `Rotor: the compromised credential of ${secret.name} is stopped while in use`,
      failed:
        mode === 'test'
          ? `Rotor: the credential of ${secret.name} ${refused.has(error) ? 'failed its test' : 'could not be tested'}`
          : `Rotor: rotation of ${secret.name} failed (${outcome})`,
    }[kind],
  ).slice(0, 100);
  const truth = whatIsTrue(incident);
  const steps = whatToDo(incident, runbookUrl);
  const text = [
    {
      warning: 'A rotation waits and tries again.',
      held: `A rotation is held: it waits for your decision${whatWorks(incident)}.`,
      'cut-off':
        'A compromised credential is being stopped, and not every application has loaded the new one.',
      failed:
        mode === 'test'
          ? 'The credential in use was to be tested, as it is when a schedule is set. Nothing was rotated.'
          : 'A secret rotation did not succeed.',
    }[kind],
    '',
    `Secret:     ${secret.name} (${secret.arn})`,
    `State:      ${state}`,
    `Error:      ${error}`,
    `Cause:      ${cause}`,
    `Outcome:    ${outcome}`,
    '',
    'What is true now:',
    ...truth.map((line) => `- ${line}`),
    '',
    'What to do:',
    ...steps.map((line) => `- ${line}`),
    '',
    `Execution:  ${consoleLink(incident.executionArn)}`,
  ].join('\n');
  const severity = outcome === 'revert-failed' ? ':rotating_light:' : ':warning:';
  const chat = {
    version: '1.0',
    source: 'custom',
    content: {
      textType: 'client-markdown',
      title: `${severity} ${subject}`.slice(0, 250),
      description: [
        `*State* ${state}`,
        `*Error* ${error}: ${cause.slice(0, chatCauseLength)}`,
        `*Outcome* ${outcome}`,
        ...truth,
        `<${consoleLink(incident.executionArn)}|Execution>`,
        // A command that was cut off would be typed as it stands.
        ...steps.filter((step) => step.length > chatStepLength),
      ]
        .join('\n')
        .slice(0, 8000),
      nextSteps: steps.filter((step) => step.length <= chatStepLength),
      keywords: [secret.name, error, outcome],
    },
    metadata: {
      threadId: incident.executionArn.slice(-100),
      summary: subject,
      additionalContext: { secretArn: secret.arn, state, error, outcome },
    },
  };
  return { subject, text, chat };
}

/** Errors of a test by which the target says that the credential does not work; any other leaves that open. */
const refused: ReadonlySet<string> = new Set(['CredentialRejected', 'CredentialUnusable']);

/** States that a rotation comes to when it stops the old credential, or has done so. */
export const statesOfStopping: ReadonlySet<string> = new Set(['RetirePrevious', 'ReleasePrevious']);

/** What a hold leaves working, behind the word that it waits. */
function whatWorks({ mode, state }: Incident): string {
  if (mode === 'follow') return '. Something else than Rotor has rotated';
  // It stops the credential first, and may fail at what comes then, or lose its answer.
  return statesOfStopping.has(state)
    ? '. The new credential works; the old one may have been stopped, and its open sessions go on'
    : ', and stops nothing before';
}

function whatIsTrue(incident: Incident): string[] {
  const { kind, mode, outcome, current, previous, token, held } = incident;
  if (mode === 'follow') return whatIsTrueOfOthers(incident);
  if (mode === 'test') return whatATestSays(incident);
  if (kind === 'warning')
    return [
      `AWSCURRENT is version ${current ?? 'unknown'} and keeps working; nothing has changed at the target.`,
    ];
  if (kind === 'cut-off')
    return [
      `AWSCURRENT is the new version ${current ?? 'unknown'}; it passed its test by logging in.`,
      'The credential from before is stopped next, and where the target can its sessions are ended.',
    ];
  const lines = [
    current === null
      ? 'Nobody could read which version AWSCURRENT names.'
      : current === token
        ? `AWSCURRENT is the new version ${current}; it passed its test by logging in.`
        : current === previous
          ? `AWSCURRENT is the version from before, ${current}.`
          : previous === null
            ? `AWSCURRENT is version ${current}.`
            : `AWSCURRENT is version ${current}, which something else than this rotation wrote.`,
  ];
  const told: Record<FailureOutcome, string> = {
    unchanged: 'Nothing was changed at the target. The credential in use works as before.',
    reverted: 'The rotation was undone. The credential in use works as before.',
    kept: 'Nothing that may still be in use is stopped before somebody has looked.',
    'revert-failed': 'Going back did not come to its end: check now whether AWSCURRENT logs in.',
  };
  const isStopping = kind === 'held' && statesOfStopping.has(incident.state);
  lines.push(isStopping ? 'The old credential may have been stopped.' : told[outcome]);
  if (held !== null)
    lines.push(`Version ${held} is held (label ${heldLabel}): no rotation starts until it is released.`);
  else if (kind === 'held')
    lines.push(
      'No version is held. Without overlap the old credential has not worked since the new one was set.',
    );
  return lines;
}

function whatATestSays({ error, current }: Incident): string[] {
  const value = current === null ? 'the value in AWSCURRENT' : `version ${current}`;
  const told: Readonly<Record<string, string>> = {
    CredentialRejected: `The target refuses ${value}: whoever logs in with it now has to expect the same.`,
    CredentialUnusable: `The target accepts the login of ${value}, but it is not what its users need.`,
    TargetUnreachable: `The target could not be reached: nobody knows whether ${value} works.`,
  };
  return [
    current === null
      ? 'Nobody could read which version AWSCURRENT names.'
      : `AWSCURRENT is version ${current}.`,
    Object.hasOwn(told, error)
      ? (told[error] ?? '')
      : `The test did not come to its end: nobody knows whether ${value} works.`,
    'Nothing was changed, neither at the target nor in the secret.',
  ];
}

/** About a secret that something else rotates Rotor knows where AWSCURRENT is, and no more. */
function whatIsTrueOfOthers({ current, token }: Incident): string[] {
  return [
    current === null
      ? 'Nobody could read which version AWSCURRENT names.'
      : current === token
        ? `AWSCURRENT is version ${current}, which something else than Rotor has put in use.`
        : `AWSCURRENT is version ${current} by now.`,
    'Rotor has changed nothing and stops nothing. Whether the value from before still works, only its issuer knows.',
  ];
}

function whatToDo(incident: Incident, runbookUrl: string): string[] {
  const { kind, mode, error, outcome, notes, decide } = incident;
  if (kind === 'warning')
    return ['Check whether the target is up and reachable. Rotor goes on trying by itself.'];
  const explained = `Runbook: ${runbookUrl}#${anchorOf(error)}`;
  if (kind === 'cut-off') return [remedyFor(error), explained];
  const guide = `Step by step: ${runbookUrl}#${guideOf(incident)}`;
  if (decide !== undefined)
    return [...notes, remedyFor(error), ...howToDecide(incident, decide), guide, explained];
  if (mode === 'test') return [...notes, remedyFor(error), ...howToTestAgain(incident), guide, explained];
  // The cause can wait: what works has to be known first, and what is released is the last thing.
  if (mode === 'rotate' && outcome === 'revert-failed')
    return [
      ...notes,
      ...whatToFindOut(incident),
      guide,
      remedyFor(error),
      explained,
      ...lastRelease(incident),
    ];
  return [...notes, remedyFor(error), ...howToGoOn(incident), guide, explained];
}

/** The heading of docs/errors.md that leads to the runbook's section for the incident. */
function guideOf({ kind, mode, outcome }: Incident): string {
  if (kind === 'held') return 'a-held-rotation';
  return mode === 'test' ? 'a-failed-test' : `outcome-${outcome}`;
}

function howToGoOn(incident: Incident): string[] {
  const { mode, error, secret, held } = incident;
  const release =
    held === null
      ? []
      : [
          error === 'PreviousStillHeld'
            ? `Only if no rotation waits, and nobody uses version ${held} any more, release it: ${releaseCommand(secret.arn, held)}`
            : `Only when you have seen that nobody uses version ${held} any more (${whomToAsk}), release it: ${releaseCommand(secret.arn, held)}`,
        ];
  const again =
    mode === 'follow'
      ? `Rotor does not rotate this secret. Ask its applications again: ${followCommand(incident)}`
      : `${held === null ? 'Rotate again' : 'Then rotate again'}: aws secretsmanager rotate-secret --secret-id ${secret.arn}`;
  return [...release, again];
}

/** Who knows whether somebody uses a credential. */
const whomToAsk = "ask the applications' owners, and the target who has sessions with it";

function howToTestAgain({ error, secret }: Incident): string[] {
  return [
    ...(refused.has(error)
      ? [
          `Correct the user at the target, or the value: aws secretsmanager put-secret-value --secret-id ${secret.arn} --secret-string file://value.json`,
        ]
      : []),
    `Then test again: aws secretsmanager rotate-secret --no-rotate-immediately --secret-id ${secret.arn}`,
  ];
}

function whatToFindOut({ current, held }: Incident): string[] {
  const inUse = current === null ? 'AWSCURRENT' : `AWSCURRENT (version ${current})`;
  return [
    `First find out which credential works: log in with ${inUse}${held === null || held === current ? '' : ` and with the held version ${held}`}; where none does, with AWSPENDING and AWSPREVIOUS.`,
    `${held === null ? '' : 'Applications may use either, so both are kept. '}Take no label off and do not rotate before you know who uses what: ${whomToAsk}.`,
  ];
}

function lastRelease({ secret, held }: Incident): string[] {
  return held === null
    ? []
    : [
        `Last, only when AWSCURRENT logs in and nobody uses version ${held} any more, release it: ${releaseCommand(secret.arn, held)}`,
      ];
}

/** What each decision does, in words. */
const meanings: Readonly<Record<Decision, string>> = {
  resume: 'goes on: whoever has not acknowledged is asked again, but for the consumers named in skip',
  back: 'moves AWSCURRENT back, asks everybody who was told to return, and stops the new credential last',
  accept:
    'goes on without those who were not heard, and stops the old credential whoever still uses it (some rotators leave that to the next rotation)',
};

function howToDecide(
  incident: Incident,
  { busName, choices, taskToken }: NonNullable<Incident['decide']>,
): string[] {
  const { executionArn, held } = incident;
  const [first = 'resume', ...others] = choices;
  return [
    ...choices.map(
      (choice) => `${choice} ${choice === 'accept' ? acceptMeans(incident, choices) : meanings[choice]}`,
    ),
    `Decide (${first}; put ${others.join(' or ')} in its place, and consumers into skip): ${decideCommand(executionArn, busName, { decision: first, taskToken })}`,
    ...(held === null ? [] : [`Do not take the label ${heldLabel} off while the rotation waits.`]),
  ];
}

/** Where nothing is held and no way back is offered there is no old credential, or somebody took its label off. */
function acceptMeans({ mode, held }: Incident, choices: readonly Decision[]): string {
  if (mode === 'follow') return 'goes on without those who were not heard';
  return held !== null || choices.includes('back')
    ? meanings.accept
    : 'goes on without those who were not heard; an old credential that still works is stopped, whoever uses it';
}

/** The command by which an operator decides about a held rotation. */
export function decideCommand(
  executionArn: string,
  busName: string,
  { decision, taskToken }: { readonly decision: Decision; readonly taskToken: string },
): string {
  const [, , , region = ''] = executionArn.split(':');
  const detail = { schemaVersion: '1', decision, skip: [], taskToken, by: 'your name' };
  const entries = [
    {
      EventBusName: busName,
      Source: operatorSource,
      DetailType: detailTypes.decided,
      Detail: JSON.stringify(detail),
    },
  ];
  return `aws events put-events --region ${region} --entries '${JSON.stringify(entries)}'`;
}

/** The command that asks the applications of a secret once more to load what something else has written. */
function followCommand({ executionArn, secret, token, previous }: Incident): string {
  const [, , , region = ''] = executionArn.split(':');
  const machine = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]*$/, '');
  const input = {
    secretArn: secret.arn,
    versionId: token,
    previousVersionId: previous ?? token,
    heldVersionId: null,
    mode: 'follow',
  };
  return `aws stepfunctions start-execution --region ${region} --state-machine-arn ${machine} --input '${JSON.stringify(input)}'`;
}

/** The command that takes the hold off a version. */
export function releaseCommand(secretArn: string, versionId: string): string {
  return `aws secretsmanager update-secret-version-stage --secret-id ${secretArn} --version-stage ${heldLabel} --remove-from-version-id ${versionId}`;
}

/** Where an operator sees the execution; the region is the ARN's own. */
export function consoleLink(executionArn: string): string {
  const [, partition, , region] = executionArn.split(':');
  const domain =
    partition === 'aws-cn'
      ? 'console.amazonaws.cn'
      : partition === 'aws-us-gov'
        ? 'console.amazonaws-us-gov.com'
        : 'console.aws.amazon.com';
  return `https://${region ?? ''}.${domain}/states/home?region=${region ?? ''}#/v2/executions/details/${executionArn}`;
}

function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
