import {
  CredentialRejected,
  OverlapExhausted,
  PermissionMissing,
  PolicyInvalid,
  RotorError,
  TargetRefused,
  TargetUnreachable,
} from '../../domain/errors';
import { statusOf, textOf } from '../error-members';

/** Whose key signed the call: that of the function's role, or the one that is rotated. */
export type Signer = 'function' | 'secret';

/** What AWS answers for a key that it does not know (any more, or yet), and for one that did not make the signature. */
const unknownKey = 'InvalidClientTokenId';
const wrongSignature = 'SignatureDoesNotMatch';

/** What IAM answers where the user or the key does not exist. */
const absent = 'NoSuchEntityException';

/** Answers after which the same call may succeed. */
const passing = [
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'ConcurrentModificationException',
  'EntityTemporarilyUnmodifiableException',
  'RequestExpired',
  'ExpiredToken',
];

/**
 * Gives an error of the AWS SDK its name in domain/errors.ts.
 *
 * The one place that looks at the SDK's errors, and by their names alone:
 * https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and each operation's own.
 */
export function classified(error: unknown, what: string, signer: Signer): RotorError {
  if (error instanceof RotorError) return error;
  const name = textOf(error, 'name');
  const text = `${what}: ${textOf(error, 'message') ?? 'no answer'} (${name ?? 'unknown'})`;
  const status = statusOf(error);
  // Without a status nobody has answered: refused connection, unknown host, timeout.
  if (status === undefined || status >= 500 || status === 429) return new TargetUnreachable(text);
  if (name === undefined) return new TargetRefused(text);
  if (passing.includes(name)) return new TargetUnreachable(text);
  if (name === unknownKey || name === wrongSignature)
    return signer === 'secret' ? new CredentialRejected(text) : new PermissionMissing(text);
  if (name === 'AccessDenied' || name === 'AccessDeniedException') return new PermissionMissing(text);
  if (name === 'LimitExceededException') return new OverlapExhausted(text);
  if (name === absent) return new PolicyInvalid(text);
  return new TargetRefused(text);
}

/** Whether IAM says that the user or the key does not exist. */
export function isAbsent(error: unknown): boolean {
  return textOf(error, 'name') === absent;
}

/** Whether AWS does not know the key that signed the request: not any more, or not yet. */
export function isUnknownKey(error: unknown): boolean {
  return textOf(error, 'name') === unknownKey;
}
