import type { RotorErrorName } from './errors';

/** What each error asks the operator to do; docs/errors.md says the same at length, by test. */
export const remedies = {
  SecretMalformed: 'Mend the secret value: the message names the fields. Then rotate again.',
  RotatorUnknown:
    'Name a rotator in the policy parameter, or give the secret the documented JSON with its engine.',
  PolicyInvalid: 'Mend the parameter that the message names. Then rotate again.',
  AdminMissing: 'Create the admin secret, or correct masterarn in the secret or admin in its policy.',
  AdminIsTheSecret: 'Name another secret as admin: a credential cannot stand by while it is replaced.',
  AdminRejected: 'Make the admin secret hold a login that the target accepts. Then rotate again.',
  UserNameTooLong: 'Choose a shorter user name, as the message says, or rotate with one user.',
  TargetUnreachable:
    "Check host, port, security groups and DNS from the functions' subnets. Then rotate again.",
  TargetRefused: 'Read the message of the target: it says what it refused. Mend it there, then rotate again.',
  PermissionMissing: "Grant the admin what the rotator's README lists. Then rotate again.",
  TlsUnavailable:
    'Enable TLS at the target or make its certificate trusted; or say "ssl": false in the secret.',
  HostKeyMismatch:
    'Find out why the host has another key. If it was rebuilt, write its new key into the secret. Then rotate again.',
  EgressRefused:
    'Name the host in the settings of the policy (hosts) if requests may go there. Then rotate again.',
  CredentialRejected:
    'Find out at the target why it refuses this login (lock, expiry, host rules). Then rotate again.',
  CredentialUnusable: 'Give the login what its users need, as the message says. Then rotate again.',
  OverlapExhausted: 'Free a slot for a second credential at the target. Then rotate again.',
  CloneOwnsObjects:
    'Run the REASSIGN OWNED commands of the message in each database it names. Then rotate again.',
  PrincipalInUse: 'Move the applications that the message names to the current value. Then rotate again.',
  SamePrincipal:
    'Nothing was stopped. See which versions name the same user, and correct the secret by hand.',
  PreviousStillHeld:
    'Decide about the rotation that waits, by the command in its alert. Where none waits any more, see that nobody uses the held version and take its label off. Then rotate again. Of a compromised credential see the runbook.',
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
  PendingValueMissing: 'Rotate again. If it recurs, see whether something else moves the label AWSPENDING.',
  ConsumerRefused:
    'Ask the owner of the application for the reason and mend it. Where the rotation is held, decide about it; otherwise rotate again.',
  ReplicaBehind:
    'See why the replica does not follow, as the message and the status of the replication say, and mend it. Then decide about the rotation that waits.',
  ConsumerSilent:
    'Find out why the application did not answer and mend it. Where the rotation is held, decide about it; otherwise rotate again.',
  QuorumMissed:
    'Find out why so many of the group did not load the version, and mend it. Where the rotation is held, decide about it; otherwise rotate again.',
  TooManyConsumers:
    'Let consumers share an enrolment where one application speaks for several, as docs/scale.md says. Then rotate again.',
  ConsumersCutOff:
    'Bring the named applications to the current value now: the credential that they hold is being stopped.',
  CredentialStillUsed:
    'Move the applications that still use the credential to the current value. Where the rotation is held, decide about it; otherwise rotate again.',
  InvocationMalformed: 'The function was invoked by something else than its workflow: see who may invoke it.',
  EnvironmentInvalid: 'Deploy the stack again: the function lacks what its construct sets.',
} as const satisfies Record<RotorErrorName, string>;

/** What to do about any error, also one that AWS or the runtime raised. */
export function remedyFor(errorName: string): string {
  return isRotorErrorName(errorName)
    ? remedies[errorName]
    : "Read the execution: the state that failed shows the message. AWS's own errors mean what its documentation says.";
}

function isRotorErrorName(name: string): name is RotorErrorName {
  return Object.hasOwn(remedies, name);
}
