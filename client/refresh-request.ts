import { RequestMalformed } from './errors';

/** A `Secret Refresh Requested` event, as far as a consumer acts on it. */
export interface RefreshRequest {
  readonly rotationId: string;
  readonly secret: { readonly arn: string; readonly name: string };
  /** `load` what AWSCURRENT names, or `verify` the version before AWSCURRENT names it, and work on as before. */
  readonly phase: 'load' | 'verify';
  /** Of `load` a hint only: what counts is what AWSCURRENT names now. Of `verify` the version to try. */
  readonly versionId: string;
  readonly consumer: string;
  /** Milliseconds since the epoch, by Rotor's clock. */
  readonly askedAt: number;
  /** Until when Rotor waits; undefined where it does not. */
  readonly deadline: number | undefined;
  /** Proof of having been asked; undefined where no answer is expected. */
  readonly taskToken: string | undefined;
}

const detailType = 'Secret Refresh Requested';

/**
 * Reads a request from what EventBridge delivers: the event itself (Lambda), or its JSON text (an SQS message's body).
 *
 * RequestMalformed names the member that is wrong. Members that are not known are ignored, so that a newer Rotor can
 * add some.
 */
export function parseRefreshRequest(input: unknown): RefreshRequest {
  const event = members(typeof input === 'string' ? parseJson(input) : input, 'the event');
  const type = event['detail-type'];
  if (type !== detailType)
    throw new RequestMalformed(`detail-type is ${describe(type)}, expected ${detailType}`);
  const detail = members(event['detail'], 'detail');
  if (detail['schemaVersion'] !== '1')
    throw new RequestMalformed(`detail.schemaVersion is ${describe(detail['schemaVersion'])}, expected 1`);
  const { phase } = detail;
  if (phase !== 'load' && phase !== 'verify')
    throw new RequestMalformed(`detail.phase is ${describe(phase)}, expected load or verify`);
  const secret = members(detail['secret'], 'detail.secret');
  return {
    phase,
    rotationId: text(detail, 'rotationId', 'detail.'),
    secret: {
      arn: text(secret, 'arn', 'detail.secret.'),
      name: text(secret, 'name', 'detail.secret.'),
    },
    versionId: text(detail, 'versionId', 'detail.'),
    consumer: text(detail, 'consumer', 'detail.'),
    askedAt: instant(detail, 'time'),
    deadline: isAbsent(detail['deadline']) ? undefined : instant(detail, 'deadline'),
    taskToken: isAbsent(detail['taskToken']) ? undefined : text(detail, 'taskToken', 'detail.'),
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The parser's message quotes the text, which may hold a task token.
    throw new RequestMalformed('the event is not JSON');
  }
}

function members(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RequestMalformed(`${what} is not an object`);
  return { ...value };
}

function text(from: Readonly<Record<string, unknown>>, name: string, prefix: string): string {
  const value = from[name];
  if (typeof value !== 'string' || value === '')
    throw new RequestMalformed(`${prefix}${name} is not a text, or empty`);
  return value;
}

function instant(from: Readonly<Record<string, unknown>>, name: string): number {
  const parsed = Date.parse(text(from, name, 'detail.'));
  if (Number.isNaN(parsed)) throw new RequestMalformed(`detail.${name} is not an instant`);
  return parsed;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function describe(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 60) : typeof value;
}
