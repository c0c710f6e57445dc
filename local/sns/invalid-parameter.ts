import { ServiceError } from '../kernel/service';

/** The error that SNS answers to most wrong input. */
export function invalidParameter(what: string): ServiceError {
  return new ServiceError('InvalidParameter', `Invalid parameter: ${what}`);
}

/** The error for what SNS has and the embedded cloud has not. */
export function unsupported(what: string): ServiceError {
  return new ServiceError('UnsupportedParameter', `The embedded cloud does not implement ${what}.`);
}
