/** A deployed function: what CreateFunction was given, with AWS's defaults filled in. */
export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
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
  readonly createdAt: number;
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

/** The name in whatever form callers give it: a name, an ARN, a partial ARN, with or without `:$LATEST`. */
export function functionNameOf(reference: string): string {
  const bare = reference.replace(/:\$LATEST$/, '');
  const parts = bare.split(':');
  return parts[parts.length - 1] ?? bare;
}

/** The session ARN under which a function acts: its role, and its own name as the session's. */
export function sessionArn(place: Place, roleArn: string, sessionName: string): string {
  const role = roleArn.split('/').at(-1) ?? roleArn;
  return `arn:${place.partition}:sts::${place.account}:assumed-role/${role}/${sessionName}`;
}
