import type { RotorErrorName } from './errors';

/**
 * What each error asks the operator to do about its cause; docs/errors.md says the same at length, by test. What comes
 * then, to rotate again or to decide, depends on the outcome: the alert says it.
 */
export const remedies = {
  SecretMalformed: 'Mend the secret value: the message names the fields.',
  RotatorUnknown:
    'Name a rotator in the policy parameter, or give the secret the documented JSON with its engine.',
  PolicyInvalid: 'Mend the parameter that the message names.',
  AdminMissing: 'Create the admin secret, or correct masterarn in the secret or admin in its policy.',
  AdminIsTheSecret: 'Name another secret as admin: a credential cannot stand by while it is replaced.',
  AdminRejected: 'Make the admin secret hold a login that the target accepts.',
  UserNameTooLong: 'Choose a shorter user name, as the message says, or rotate with one user.',
  TargetUnreachable: "Check host, port, security groups and DNS from the functions' subnets.",
  TargetRefused: 'Read the message of the target: it says what it refused. Mend it there.',
  PermissionMissing: "Grant the admin what the rotator's README lists.",
  TlsUnavailable:
    'Enable TLS at the target or make its certificate trusted; or say "ssl": false in the secret.',
  HostKeyMismatch:
    'Find out why the host has another key. If it was rebuilt, write its new key into the secret.',
  EgressRefused: 'Name the host in the settings of the policy (hosts) if requests may go there.',
  CredentialRejected: 'Find out at the target why it refuses this login (lock, expiry, host rules).',
  CredentialUnusable: 'Give the login what its users need, as the message says.',
  OverlapExhausted: 'Free a slot for a second credential at the target.',
  CloneOwnsObjects: 'Run the REASSIGN OWNED commands of the message in each database it names.',
  PrincipalInUse: 'Move the applications that the message names to the current value.',
  SamePrincipal:
    'Nothing was stopped. See which versions name the same user, and correct the secret by hand.',
  PreviousStillHeld:
    'Decide about the rotation that waits, by the command in its alert. Where none waits any more, see that nobody uses the held version and take its label off. Of a compromised credential see the runbook.',
  RotationAbandoned:
    'Somebody moved the labels while the rotation ran. Check that the value in AWSCURRENT works.',
  RotationReverted: 'Read the alert of the rotation that went back: it names the cause. Then rotate again.',
  ChangeCalendarClosed:
    'Nothing: Secrets Manager asks again while its rotation window is open. Where the credential is compromised, say so in the policy (urgency), then rotate again.',
  ChangeCalendarUnreadable:
    'Mend the change calendar that the message names, or changeCalendars in the policy, or let the role of the function rotation ask for its state. Then rotate again.',
  GroupBusy:
    'Nothing: Secrets Manager asks again while its rotation window is open. Where the named rotation is held, decide about it.',
  LastRotationOpen:
    'Nothing: Secrets Manager asks again while its rotation window is open. Where the named rotation is held, decide about it.',
  RotationInProgress: 'Nothing: Secrets Manager asks again by itself.',
  TestFailed: 'The value in AWSCURRENT does not work at the target: correct one or the other.',
  AttemptsExhausted:
    'Look at the named executions: each died before it could go back. Mend the cause, then rotate again.',
  PendingValueMissing: 'See whether something else moves the label AWSPENDING.',
  ConsumerRefused: 'Ask the owner of the application for the reason and mend it.',
  ReplicaBehind:
    'See why the replica does not follow, as the message and the status of the replication say, and mend it.',
  ConsumerSilent: 'Find out why the application did not answer and mend it.',
  QuorumMissed: 'Find out why so many of the group did not load the version, and mend it.',
  TooManyConsumers:
    'Let consumers share an enrolment where one application speaks for several, as docs/scale.md says.',
  ConsumersCutOff:
    'Bring the named applications to the current value now: the credential that they hold is being stopped.',
  CredentialStillUsed: 'Move the applications that still use the credential to the current value.',
  InvocationMalformed: 'The function was invoked by something else than its workflow: see who may invoke it.',
  EnvironmentInvalid: 'Deploy the stack again: the function lacks what its construct sets.',
} as const satisfies Record<RotorErrorName, string>;

/** What AWS's own errors and the runtime's mean, and what to do: the table of docs/errors.md, by test. */
export const foreignRemedies = {
  AccessDeniedException: {
    meaning: "A function's role, the policy of the secret or of its key does not allow the call",
    remedy:
      'The message names action and resource: enrol the secret with RotatedSecret, which grants what each function needs, or mend the policy that denies',
  },
  DecryptionFailure: {
    meaning: "The secret's key is disabled, deleted, or not granted to the function",
    remedy: 'Enable the key; name it in RotatedSecret',
  },
  ResourceNotFoundException: {
    meaning: 'The secret, or a version of it, is gone',
    remedy: 'See whether it was deleted or replaced while the rotation ran',
  },
  InvalidRequestException: {
    meaning: 'The secret is marked for deletion, or a label is not where the call says',
    remedy: 'describe-secret shows it',
  },
  ThrottlingException: {
    meaning: 'Too many calls in the account; tried again 8 times',
    remedy: 'Spread the schedules',
  },
  'EventBridge.FailedEntry': {
    meaning: 'An event was not accepted',
    remedy: "Look at the state's cause; the rotation does not fail because of announcements",
  },
  'Lambda.TooManyRequestsException': {
    meaning: 'No free concurrency for a function; CreateSecret is tried 20 times, the rest 8 times',
    remedy: 'Raise the concurrency, or rotate fewer secrets at once',
  },
  'Lambda.Unknown': {
    meaning: 'The function ended without an answer',
    remedy: 'Its log shows why: often memory',
  },
  'Lambda.ServiceException': {
    meaning: 'Lambda had a failure of its own; tried again 3 times',
    remedy: 'Nothing to mend',
  },
  'Sandbox.Timedout': {
    meaning: 'The function ran into its time limit',
    remedy: 'See whether the target answers slowly, and what the log says',
  },
  'Runtime.ExitError': {
    meaning: "The function's process ended",
    remedy: 'See its log; memory is the usual reason',
  },
  'States.Timeout': {
    meaning: 'The workflow or a waiting task ran out of time',
    remedy:
      'Look at the execution; a workflow that times out raises an alert through the rule on its failures',
  },
  'States.QueryEvaluationError': {
    meaning: 'An expression of the workflow met data that it does not expect',
    remedy: "A fault of Rotor: report it with the execution's history",
  },
  'States.DataLimitExceeded': {
    meaning: 'A payload exceeds 256 KiB; no Catch takes it',
    remedy: 'Enrol fewer consumers for one secret',
  },
  AlertFailed: {
    meaning: 'The alert could not be sent by either way',
    remedy:
      "See the function alert and the topic's key policy; the rule on failed executions tells the topic too",
  },
} as const satisfies Readonly<Record<string, { readonly meaning: string; readonly remedy: string }>>;

/** What to do about the cause of any error, also one that AWS or the runtime raised. */
export function remedyFor(errorName: string): string {
  if (isRotorErrorName(errorName)) return remedies[errorName];
  if (!isForeign(errorName))
    return "Read the execution: the state that failed shows the message. AWS's own errors mean what its documentation says.";
  const { meaning, remedy } = foreignRemedies[errorName];
  return `${meaning}. ${remedy}.`;
}

/** The heading of docs/errors.md that explains an error, as the anchor that GitHub makes of it. */
export function anchorOf(errorName: string): string {
  return isRotorErrorName(errorName) ? errorName.toLowerCase() : 'errors-of-aws-and-of-the-runtime';
}

function isRotorErrorName(name: string): name is RotorErrorName {
  return Object.hasOwn(remedies, name);
}

function isForeign(name: string): name is keyof typeof foreignRemedies {
  return Object.hasOwn(foreignRemedies, name);
}
