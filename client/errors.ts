/**
 * Every error that this client raises on purpose.
 *
 * Decide by `name`, which is a literal; messages are for people. None of them holds a secret value: what a driver or
 * the application said is redacted first, and `cause` is set only where it comes from AWS.
 */
export abstract class RotorClientError extends Error {
  abstract override readonly name: string;
}

/** The secret could not be read, and no cached value is young enough to be handed out. */
export class SecretUnavailable extends RotorClientError {
  override readonly name = 'SecretUnavailable';
}

/** The secret was read and is not what the application expects: no text, no JSON, a member missing. */
export class SecretUnreadable extends RotorClientError {
  override readonly name = 'SecretUnreadable';
}

/** The application's own proof says that it cannot work with a version. */
export class ProofFailed extends RotorClientError {
  override readonly name = 'ProofFailed';

  constructor(
    readonly versionId: string,
    /** Why, without any secret value. */
    readonly reason: string,
  ) {
    super(`version ${versionId} was not proved: ${reason}`);
  }
}

/** What arrived is not a `Secret Refresh Requested` event that this client understands. */
export class RequestMalformed extends RotorClientError {
  override readonly name = 'RequestMalformed';
}

/** The request is for another consumer or another secret. */
export class RequestForeign extends RotorClientError {
  override readonly name = 'RequestForeign';
}

/** EventBridge did not take an acknowledgement, in spite of repeats. */
export class AcknowledgementFailed extends RotorClientError {
  override readonly name = 'AcknowledgementFailed';
}

/** The Lambda function's timeout leaves no room to wait until all its instances serve the new version. */
export class LambdaTimeTooShort extends RotorClientError {
  override readonly name = 'LambdaTimeTooShort';
}

/** Options that contradict each other or lie outside their range. */
export class OptionInvalid extends RotorClientError {
  override readonly name = 'OptionInvalid';
}

/** The database driver lacks what is needed to set a connection's user and password. */
export class DriverUnsupported extends RotorClientError {
  override readonly name = 'DriverUnsupported';
}

/** What an error may be told by without its message: its name and, of drivers and Node, its code. */
export function errorLabel(error: unknown): string {
  if (!(error instanceof Error)) return 'an error that is no Error';
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  return `${error.name}${code}`;
}

/** What was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(errorLabel(thrown));
}
