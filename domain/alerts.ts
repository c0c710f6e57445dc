import { heldLabel } from './names';
import { remedyFor } from './remedies';

/** How a rotation that did not succeed left things. */
export type FailureOutcome = 'unchanged' | 'reverted' | 'kept' | 'revert-failed';

/** What an alert is about: ids, names and error names, never a value. */
export interface Incident {
  readonly kind: 'failed' | 'warning';
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
    kind === 'warning'
      ? `Rotor: rotation of ${secret.name} waits`
      : `Rotor: rotation of ${secret.name} failed (${outcome})`,
  ).slice(0, 100);
  const truth = whatIsTrue(incident);
  const steps = whatToDo(incident, runbookUrl);
  const text = [
    kind === 'warning' ? 'A rotation waits and tries again.' : 'A secret rotation did not succeed.',
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

function whatIsTrue({ kind, outcome, current, previous, token, held }: Incident): string[] {
  if (kind === 'warning')
    return [
      `AWSCURRENT is version ${current ?? 'unknown'} and keeps working; nothing has changed at the target.`,
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
  lines.push(told[outcome]);
  if (held !== null)
    lines.push(`Version ${held} is held (label ${heldLabel}): no rotation starts until it is released.`);
  return lines;
}

function whatToDo({ kind, error, secret, held, notes }: Incident, runbookUrl: string): string[] {
  if (kind === 'warning')
    return ['Check whether the target is up and reachable. Rotor goes on trying by itself.'];
  return [
    ...notes,
    remedyFor(error),
    ...(held === null ? [] : [`Release the held version: ${releaseCommand(secret.arn, held)}`]),
    `Rotate again: aws secretsmanager rotate-secret --secret-id ${secret.arn}`,
    `Runbook: ${runbookUrl}#${error.toLowerCase().replace(/[^a-z0-9]+/g, '')}`,
  ];
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
