/**
 * One configuration of a function: what CreateFunction or UpdateFunctionConfiguration made, with AWS's defaults filled in.
 *
 * It never changes: an update makes another one, and so other environments.
 */
export interface LambdaFunction {
  readonly name: string;
  /** With the version, where it is a published one. */
  readonly arn: string;
  /** `$LATEST`, or the number of a published version. */
  readonly version: string;
  /** Of the code, in Base64. */
  readonly codeSha256: string;
  readonly runtime: string;
  readonly handler: string;
  readonly roleArn: string;
  /** Folder with the unpacked code. */
  readonly codeDirectory: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly architecture: 'arm64' | 'x86_64';
  readonly tracing: 'Active' | 'PassThrough';
  readonly deadLetterArn?: string | undefined;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly logGroup: string;
  readonly logFormat: 'Text' | 'JSON';
  readonly revisionId: string;
  /** When this configuration was made, in milliseconds of the cloud's clock. */
  readonly modifiedAt: number;
}

/** Where functions stand: the part of every ARN before the resource. */
export interface Place {
  readonly account: string;
  readonly region: string;
  readonly partition: string;
}

/** The ARN of a function by its name. */
export function functionArn(place: Place, name: string): string {
  return `arn:${place.partition}:lambda:${place.region}:${place.account}:function:${name}`;
}

/** A function as callers name it. */
export interface FunctionReference {
  readonly name: string;
  /** `$LATEST`, a version or an alias; undefined where none is named. */
  readonly qualifier: string | undefined;
}

/** Reads the forms that callers use: a name, an ARN, a partial ARN, each with or without a qualifier behind it. */
export function parseReference(reference: string): FunctionReference {
  const parts = reference.split(':');
  const at = parts.indexOf('function') + 1;
  return { name: parts[at] ?? reference, qualifier: parts[at + 1] };
}

/** The session ARN under which a function acts: its role, and its own name as the session's. */
export function sessionArn(place: Place, roleArn: string, sessionName: string): string {
  const role = roleArn.split('/').at(-1) ?? roleArn;
  return `arn:${place.partition}:sts::${place.account}:assumed-role/${role}/${sessionName}`;
}
