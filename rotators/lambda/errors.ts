import {
  PermissionMissing,
  PolicyInvalid,
  RotorError,
  rotorErrors,
  TargetRefused,
  TargetUnreachable,
} from '../../domain/errors';
import { statusOf, textOf } from '../error-members';
import { isOwnErrorName } from './contract';

/** Answers of Lambda after which the same invocation may succeed; 5xx, 429 and 408 are told by their status. */
const passing = [
  'ResourceConflictException',
  'ResourceNotReadyException',
  'SnapStartNotReadyException',
  'ThrottlingException',
  'ExpiredTokenException',
];

/** Answers to somebody who may not invoke the function. */
const notAllowed = ['AccessDeniedException', 'UnrecognizedClientException'];

/** What Lambda calls an invocation that ran out of the function's own time. */
const timedOut = 'Sandbox.Timedout';

/**
 * Gives an error of Lambda's Invoke its name in domain/errors.ts, by the SDK's name for it:
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
 */
export function classified(error: unknown, what: string): RotorError {
  if (error instanceof RotorError) return error;
  const name = textOf(error, 'name');
  const text = `${what}: ${textOf(error, 'message') ?? 'no answer'} (${name ?? 'unknown'})`;
  const status = statusOf(error);
  // Without a status nobody has answered: refused connection, unknown host, timeout.
  if (status === undefined || status >= 500 || status === 429 || status === 408)
    return new TargetUnreachable(text);
  if (name === undefined) return new TargetRefused(text);
  if (passing.includes(name)) return new TargetUnreachable(text);
  if (name === 'ResourceNotFoundException') return new PolicyInvalid(text);
  if (notAllowed.includes(name)) return new PermissionMissing(text);
  return new TargetRefused(text);
}

/** The error of a function that threw, crashed or ran out of time: the payload that comes with FunctionError. */
export function failureOf(payload: unknown, what: string): RotorError {
  const type = textOf(payload, 'errorType');
  const message = textOf(payload, 'errorMessage') ?? 'failed without a message';
  // Older runtimes name no type where the time ran out, and always one where code threw.
  if (type === timedOut || type === undefined) return new TargetUnreachable(`${what}: ${message}`);
  return isOwnErrorName(type)
    ? namedError(type, `${what}: ${message}`)
    : new TargetRefused(`${what}: ${type}: ${message}`);
}

/** The error that an answer names; a name that no function may raise is TargetRefused. */
export function namedError(name: string, text: string): RotorError {
  return isOwnErrorName(name) ? new rotorErrors[name](text) : new TargetRefused(`${text} (${name})`);
}
