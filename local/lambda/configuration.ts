import * as z from 'zod';
import { ServiceError } from '../kernel/service';
import { functionArn, type LambdaFunction, type Place } from './function';
import type { Status } from './record';
import { reservedVariables } from './variables';

/** What CreateFunction takes. Layers, images, file systems and SnapStart are refused by not standing here. */
export const createFunctionInput = z.object({
  FunctionName: z.string().regex(/^[a-zA-Z0-9-_]{1,64}$/),
  Runtime: z.string(),
  Role: z.string(),
  Handler: z.string(),
  Code: z.strictObject({ S3Bucket: z.string(), S3Key: z.string() }),
  PackageType: z.literal('Zip').optional(),
  Description: z.string().optional(),
  Timeout: z.int().min(1).max(900).optional(),
  MemorySize: z.int().min(128).max(10_240).optional(),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.string()).optional() }).optional(),
  Architectures: z.tuple([z.enum(['arm64', 'x86_64'])]).optional(),
  TracingConfig: z.strictObject({ Mode: z.enum(['Active', 'PassThrough']) }).optional(),
  DeadLetterConfig: z.strictObject({ TargetArn: z.string().optional() }).optional(),
  VpcConfig: z
    .strictObject({
      SubnetIds: z.array(z.string()).optional(),
      SecurityGroupIds: z.array(z.string()).optional(),
      Ipv6AllowedForDualStack: z.boolean().optional(),
    })
    .optional(),
  LoggingConfig: z
    .strictObject({
      LogFormat: z.enum(['Text', 'JSON']).optional(),
      LogGroup: z.string().optional(),
    })
    .optional(),
  EphemeralStorage: z.strictObject({ Size: z.int().min(512).max(10_240) }).optional(),
  KMSKeyArn: z.string().optional(),
  Publish: z.literal(false).optional(),
  Tags: z.record(z.string(), z.string()).optional(),
});

/** Makes a function of CreateFunction's input; `codeDirectory` is where its code lies. */
export function functionOf(
  place: Place,
  input: z.infer<typeof createFunctionInput>,
  codeDirectory: string,
  codeSha256: string,
  now: number,
): LambdaFunction {
  if (!input.Runtime.startsWith('nodejs'))
    throw new ServiceError(
      'UnsupportedParameter',
      `The embedded cloud does not implement CreateFunction with Runtime ${input.Runtime}.`,
    );
  const variables = input.Environment?.Variables ?? {};
  assertVariables(variables);
  return {
    name: input.FunctionName,
    arn: functionArn(place, input.FunctionName),
    version: '$LATEST',
    codeSha256,
    runtime: input.Runtime,
    handler: input.Handler,
    roleArn: input.Role,
    codeDirectory,
    description: input.Description ?? '',
    timeoutSeconds: input.Timeout ?? 3,
    memoryMb: input.MemorySize ?? 128,
    variables,
    architecture: input.Architectures?.[0] ?? 'x86_64',
    tracing: input.TracingConfig?.Mode ?? 'PassThrough',
    deadLetterArn: input.DeadLetterConfig?.TargetArn,
    subnetIds: input.VpcConfig?.SubnetIds ?? [],
    securityGroupIds: input.VpcConfig?.SecurityGroupIds ?? [],
    logGroup: input.LoggingConfig?.LogGroup ?? `/aws/lambda/${input.FunctionName}`,
    logFormat: input.LoggingConfig?.LogFormat ?? 'Text',
    revisionId: crypto.randomUUID(),
    modifiedAt: now,
  };
}

/** What UpdateFunctionConfiguration takes; the rest is refused by name. */
export const updateConfigurationInput = z.object({
  FunctionName: z.string(),
  RevisionId: z.string().optional(),
  Description: z.string().optional(),
  Timeout: z.int().min(1).max(900).optional(),
  MemorySize: z.int().min(128).max(10_240).optional(),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.string()).optional() }).optional(),
});

/** The configuration after an update; members that are not given stay, and Variables are replaced as a whole. */
export function updated(
  fn: LambdaFunction,
  input: z.infer<typeof updateConfigurationInput>,
  now: number,
): LambdaFunction {
  const variables = input.Environment?.Variables;
  if (variables !== undefined) assertVariables(variables);
  return {
    ...fn,
    description: input.Description ?? fn.description,
    timeoutSeconds: input.Timeout ?? fn.timeoutSeconds,
    memoryMb: input.MemorySize ?? fn.memoryMb,
    variables: variables ?? fn.variables,
    revisionId: crypto.randomUUID(),
    modifiedAt: now,
  };
}

/** Longest environment that AWS takes, names and values together. */
const variablesLimitBytes = 4096;

function assertVariables(variables: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(variables).filter((name) => reservedVariables.includes(name));
  if (reserved.length > 0)
    throw new ServiceError(
      'InvalidParameterValueException',
      'Lambda was unable to configure your environment variables because the environment variables you have ' +
        `provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  // AWS's message quotes the variables, which may hold secrets.
  if (Buffer.byteLength(JSON.stringify(variables)) > variablesLimitBytes)
    throw new ServiceError(
      'InvalidParameterValueException',
      'Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.',
    );
}

const active: Status = { State: 'Active', LastUpdateStatus: 'Successful' };

/** A function as GetFunctionConfiguration and ListFunctions show it. */
export function configurationOf(fn: LambdaFunction, status: Status = active): object {
  return {
    FunctionName: fn.name,
    FunctionArn: fn.arn,
    Runtime: fn.runtime,
    Role: fn.roleArn,
    Handler: fn.handler,
    Description: fn.description,
    Timeout: fn.timeoutSeconds,
    MemorySize: fn.memoryMb,
    // AWS's own form: milliseconds and an offset without a colon.
    LastModified: new Date(fn.modifiedAt).toISOString().replace('Z', '+0000'),
    Version: fn.version,
    CodeSha256: fn.codeSha256,
    TracingConfig: { Mode: fn.tracing },
    RevisionId: fn.revisionId,
    ...status,
    PackageType: 'Zip',
    Architectures: [fn.architecture],
    LoggingConfig: { LogFormat: fn.logFormat, LogGroup: fn.logGroup },
    ...(Object.keys(fn.variables).length === 0 ? {} : { Environment: { Variables: fn.variables } }),
    ...(fn.deadLetterArn === undefined ? {} : { DeadLetterConfig: { TargetArn: fn.deadLetterArn } }),
    ...(fn.subnetIds.length === 0
      ? {}
      : { VpcConfig: { SubnetIds: fn.subnetIds, SecurityGroupIds: fn.securityGroupIds } }),
  };
}
