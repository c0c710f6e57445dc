import type { Clock } from './clock';

/** Who makes a call: the account's operator, an IAM user, a role that a function or service has assumed, or an AWS service. */
export type Principal =
  | { readonly kind: 'operator'; readonly arn: string; readonly account: string }
  | { readonly kind: 'user'; readonly arn: string; readonly account: string; readonly userName: string }
  | { readonly kind: 'role'; readonly arn: string; readonly account: string; readonly roleArn: string }
  | { readonly kind: 'service'; readonly service: string; readonly account: string };

/** Everything an operation may know about the request besides its input. */
export interface Call {
  readonly principal: Principal;
  readonly requestId: string;
  readonly userAgent: string;
  /** Condition keys of the request: aws:SourceArn, aws:SourceAccount and the like. */
  readonly conditions: Readonly<Record<string, string>>;
}

/** What an operation asks leave for, once it knows which resource the request is about. */
export interface Access {
  /** IAM action, such as `secretsmanager:GetSecretValue`. */
  readonly action: string;
  /** ARN of the resource, or `*` for actions that know none. */
  readonly resource: string;
  /** The resource's own policy, if it has one. */
  readonly resourcePolicy?: object | undefined;
  /** Condition keys of this action, such as `secretsmanager:VersionStage`. */
  readonly conditions?: Readonly<Record<string, string | readonly string[]>>;
}

/** Ends the call with AWS's AccessDenied unless the caller's own policies or the resource's policy allow it. */
export type Authorize = (call: Call, access: Access) => void;

/** One operation of a service. It validates, authorises, acts, and answers; errors are `ServiceError`. */
export type Operation = (input: Readonly<Record<string, unknown>>, call: Call) => Promise<object>;

/** A service of the embedded cloud: what it can do, by the names of the AWS API. */
export interface Service {
  /** Id as in an SDK client's package name: `secretsmanager`, `sfn`, `eventbridge`, `sns`, `sqs`, `ssm`, `lambda`. */
  readonly id: string;
  readonly operations: Readonly<Record<string, Operation>>;
}

/** How one service calls another in process: by the same operations, under the same checks, in the same journal. */
export type CallService = (
  service: string,
  operation: string,
  input: Readonly<Record<string, unknown>>,
  call: Pick<Call, 'principal'> & Partial<Call>,
) => Promise<object>;

/** What every service is built with. */
export interface Surroundings {
  readonly account: string;
  readonly region: string;
  readonly partition: string;
  readonly clock: Clock;
  readonly authorize: Authorize;
  readonly callService: CallService;
}

/** An error as AWS words it: `code` becomes `__type` or the XML Code, and the SDK's error name. */
export class ServiceError extends Error {
  override readonly name: string = 'ServiceError';

  constructor(
    readonly code: string,
    message: string,
    readonly statusCode = 400,
    /** Further members of the error's shape. */
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}
