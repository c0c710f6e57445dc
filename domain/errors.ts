/**
 * Every error that Rotor raises on purpose.
 *
 * `name` is what the state machine's Retry and Catch match on, and what an operator looks up in docs/errors.md, so it
 * is a literal: a bundler renames classes, not strings. Messages say what and which, in lower case, without a full
 * stop, and never hold a secret value. `cause` is left out wherever it could hold one.
 */
export abstract class RotorError extends Error {
  abstract override readonly name: string;
  /** Whether the same call may succeed later without anybody changing anything. */
  abstract readonly retryable: boolean;
}

function define<const Name extends string, const Retryable extends boolean>(
  name: Name,
  retryable: Retryable,
) {
  return class extends RotorError {
    override readonly name = name;
    readonly retryable = retryable;
  };
}

// The secret, its policy and its admin.

/** The secret's text does not have the shape that its rotator declares. */
export class SecretMalformed extends define('SecretMalformed', false) {}
/** No rotator takes this secret, or the policy names one that does not exist. */
export class RotatorUnknown extends define('RotatorUnknown', false) {}
/** A field of the secret's policy or of a consumer's enrolment is unknown or wrong. */
export class PolicyInvalid extends define('PolicyInvalid', false) {}
/** The rotator needs an admin credential, and none is named or the named one does not exist. */
export class AdminMissing extends define('AdminMissing', false) {}
/** The admin named for a secret is the secret itself. */
export class AdminIsTheSecret extends define('AdminIsTheSecret', false) {}
/** The target does not accept the admin credential. */
export class AdminRejected extends define('AdminRejected', false) {}
/** The clone's name would be cut off by the target and fall together with another user's. */
export class UserNameTooLong extends define('UserNameTooLong', false) {}

// The target.

/** No answer from the target: refused connection, timeout, unknown host, starting up. */
export class TargetUnreachable extends define('TargetUnreachable', true) {}
/** The target answered and said no, for a reason that has no name of its own. */
export class TargetRefused extends define('TargetRefused', false) {}
/** The admin lacks a right at the target. */
export class PermissionMissing extends define('PermissionMissing', false) {}
/** The secret asks for TLS and the target does not offer it, or its certificate is not trusted. */
export class TlsUnavailable extends define('TlsUnavailable', false) {}
/** A host shows another key than the secret says it has: it was rebuilt, or it is not the host. */
export class HostKeyMismatch extends define('HostKeyMismatch', false) {}
/** A request would have gone to a host that the policy does not name. */
export class EgressRefused extends define('EgressRefused', false) {}
/** The target does not accept this credential. */
export class CredentialRejected extends define('CredentialRejected', true) {}
/** The login works and is not the user that the secret promises, or lacks what it needs. */
export class CredentialUnusable extends define('CredentialUnusable', false) {}
/** The target has no free slot for a second credential. */
export class OverlapExhausted extends define('OverlapExhausted', false) {}
/** The clone owns objects that it would no longer reach. */
export class CloneOwnsObjects extends define('CloneOwnsObjects', false) {}
/** Somebody still logs in as the user that is about to get a new password. */
export class PrincipalInUse extends define('PrincipalInUse', false) {}
/** Asked to stop a credential that names the same user as the one to keep. */
export class SamePrincipal extends define('SamePrincipal', false) {}

// The rotation.

/** A rotation left an old credential in place that somebody may still use. */
export class PreviousStillHeld extends define('PreviousStillHeld', false) {}
/** AWSCURRENT or AWSPENDING moved while the rotation ran, by another hand than Rotor's. */
export class RotationAbandoned extends define('RotationAbandoned', false) {}
/** The rotation went back: AWSPENDING is no longer on this token's version. */
export class RotationReverted extends define('RotationReverted', false) {}
/** A change calendar that the policy names is closed, so the rotation does not begin yet. */
export class ChangeCalendarClosed extends define('ChangeCalendarClosed', true) {}
/** A change calendar that the policy names cannot be asked. */
export class ChangeCalendarUnreadable extends define('ChangeCalendarUnreadable', false) {}
/** Another member of the secret's group rotates, or has only just ended. */
export class GroupBusy extends define('GroupBusy', true) {}
/** The rotation that made the value in use has not come to its end yet. */
export class LastRotationOpen extends define('LastRotationOpen', true) {}
/** The workflow is at work; Secrets Manager is to ask again. */
export class RotationInProgress extends define('RotationInProgress', true) {}
/** The credential in use failed the test that Secrets Manager asked for without a rotation. */
export class TestFailed extends define('TestFailed', false) {}
/** The workflow ended without success as often as one token allows. */
export class AttemptsExhausted extends define('AttemptsExhausted', false) {}
/** The version under this token has no value yet. */
export class PendingValueMissing extends define('PendingValueMissing', false) {}
/** A consumer cannot work with the new version. */
export class ConsumerRefused extends define('ConsumerRefused', false) {}
/** A region does not serve the version that AWSCURRENT names in the secret's own region. */
export class ReplicaBehind extends define('ReplicaBehind', false) {}
/** A required consumer has not said which version it loaded. */
export class ConsumerSilent extends define('ConsumerSilent', false) {}
/** The secret has more consumers than one execution can hold. */
export class TooManyConsumers extends define('TooManyConsumers', false) {}
/** A compromised credential was stopped although some consumers had not loaded the new one. */
export class ConsumersCutOff extends define('ConsumersCutOff', false) {}
/** Too few of a group of optional consumers have loaded the new version. */
export class QuorumMissed extends define('QuorumMissed', false) {}
/** Sessions still begin with the old credential after every consumer has acknowledged. */
export class CredentialStillUsed extends define('CredentialStillUsed', false) {}
/** A Lambda function was invoked with something that it does not understand. */
export class InvocationMalformed extends define('InvocationMalformed', false) {}
/** A function's environment lacks a variable or holds a wrong one. */
export class EnvironmentInvalid extends define('EnvironmentInvalid', false) {}

/** All of them by name, for the tests that hold workflow and documents against the code. */
export const rotorErrors = {
  SecretMalformed,
  RotatorUnknown,
  PolicyInvalid,
  AdminMissing,
  AdminIsTheSecret,
  AdminRejected,
  UserNameTooLong,
  TargetUnreachable,
  TargetRefused,
  PermissionMissing,
  TlsUnavailable,
  HostKeyMismatch,
  EgressRefused,
  CredentialRejected,
  CredentialUnusable,
  OverlapExhausted,
  CloneOwnsObjects,
  PrincipalInUse,
  SamePrincipal,
  PreviousStillHeld,
  RotationAbandoned,
  RotationReverted,
  ChangeCalendarClosed,
  ChangeCalendarUnreadable,
  GroupBusy,
  LastRotationOpen,
  RotationInProgress,
  TestFailed,
  AttemptsExhausted,
  PendingValueMissing,
  ConsumerRefused,
  ReplicaBehind,
  ConsumerSilent,
  TooManyConsumers,
  ConsumersCutOff,
  QuorumMissed,
  CredentialStillUsed,
  InvocationMalformed,
  EnvironmentInvalid,
} satisfies { readonly [Name in string]: new (message: string) => RotorError & { readonly name: Name } };

export type RotorErrorName = keyof typeof rotorErrors;
