import { detailTypes, operatorSource, type Decision } from './events';
import { heldLabel } from './names';
import { remedyFor } from './remedies';

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
  const { secret, state, error, cause, outcome, kind } = incident;
  const subject = ascii(
    {
      warning: `Rotor: rotation of ${secret.name} waits`,
      held: `Rotor: rotation of ${secret.name} is held and needs a decision`,
      'cut-off': `Rotor: the compromised credential of ${secret.name} is stopped while in use`,
      failed: `Rotor: rotation of ${secret.name} failed (${outcome})`,
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
      failed: 'A secret rotation did not succeed.',
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

/** What a hold leaves working, behind the word that it waits. */
function whatWorks({ mode, state }: Incident): string {
  if (mode === 'follow') return '. Something else than Rotor has rotated';
  // It stops the credential first, and may fail at what comes then, or lose its answer.
  return state === 'RetirePrevious'
    ? '. The new credential works; the old one may have been stopped, and its open sessions go on'
    : ', and stops nothing before';
}

function whatIsTrue(incident: Incident): string[] {
  const { kind, mode, outcome, current, previous, token, held } = incident;
  if (mode === 'follow') return whatIsTrueOfOthers(incident);
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
  const isStopping = kind === 'held' && incident.state === 'RetirePrevious';
  lines.push(isStopping ? 'The old credential may have been stopped.' : told[outcome]);
  if (held !== null)
    lines.push(`Version ${held} is held (label ${heldLabel}): no rotation starts until it is released.`);
  return lines;
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
  const { kind, mode, error, secret, held, notes } = incident;
  if (kind === 'warning')
    return ['Check whether the target is up and reachable. Rotor goes on trying by itself.'];
  if (kind === 'cut-off') return [remedyFor(error), `Runbook: ${runbookUrl}#${anchorOf(error)}`];
  const steps =
    incident.decide === undefined
      ? [
          ...(held === null
            ? []
            : [
                error === 'PreviousStillHeld'
                  ? `Decide about the rotation that waits. Only if none does, release the held version: ${releaseCommand(secret.arn, held)}`
                  : `Release the held version: ${releaseCommand(secret.arn, held)}`,
              ]),
          mode === 'follow'
            ? `Rotor does not rotate this secret. Ask its applications again: ${followCommand(incident)}`
            : `Rotate again: aws secretsmanager rotate-secret --secret-id ${secret.arn}`,
        ]
      : howToDecide(incident, incident.decide);
  return [...notes, remedyFor(error), ...steps, `Runbook: ${runbookUrl}#${anchorOf(error)}`];
}

function anchorOf(error: string): string {
  return error.toLowerCase().replace(/[^a-z0-9]+/g, '');
}

/** What each decision does, in words. */
const meanings: Readonly<Record<Decision, string>> = {
  resume: 'goes on: whoever has not acknowledged is asked again, but for the consumers named in skip',
  back: 'moves AWSCURRENT back, asks everybody who was told to return, and stops the new credential last',
  accept: 'goes on without those who were not heard, and stops the old credential whoever still uses it',
};

function howToDecide(
  { executionArn, mode }: Incident,
  { busName, choices, taskToken }: NonNullable<Incident['decide']>,
): string[] {
  const [first = 'resume', ...others] = choices;
  return [
    ...choices.map((choice) =>
      mode === 'follow' && choice === 'accept'
        ? 'accept goes on without those who were not heard'
        : `${choice} ${meanings[choice]}`,
    ),
    `Decide (${first}; put ${others.join(' or ')} in its place, and consumers into skip): ${decideCommand(executionArn, busName, { decision: first, taskToken })}`,
  ];
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
