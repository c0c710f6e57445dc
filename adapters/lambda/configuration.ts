import { isDeepStrictEqual } from 'node:util';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { UpdateFailed, VariablesUnreadable } from './errors';

/**
 * A function's environment variables, which may hold secrets of the team: they are handed back to Lambda and go nowhere else.
 *
 * VariablesUnreadable where Lambda does not show them: the adapter may not use the key that they are encrypted with.
 */
export function variablesOf({ Environment }: FunctionConfiguration): Readonly<Record<string, string>> {
  if (Environment?.Error !== undefined)
    throw new VariablesUnreadable(
      `Lambda does not show the variables (${Environment.Error.ErrorCode ?? 'no code'}): let the adapter use their key`,
    );
  return Environment?.Variables ?? {};
}

/** Whether Lambda has taken over the configuration; UpdateFailed with Lambda's reason where it could not. */
export function isApplied(configuration: FunctionConfiguration): boolean {
  const { State, StateReason, StateReasonCode } = configuration;
  const { LastUpdateStatus, LastUpdateStatusReason, LastUpdateStatusReasonCode } = configuration;
  if (LastUpdateStatus === 'Failed')
    throw new UpdateFailed(reason(LastUpdateStatusReasonCode, LastUpdateStatusReason));
  if (State === 'Failed') throw new UpdateFailed(reason(StateReasonCode, StateReason));
  return LastUpdateStatus !== 'InProgress' && State !== 'Pending';
}

function reason(code: string | undefined, text: string | undefined): string {
  return [code, text].filter((part) => part !== undefined).join(': ') || 'Lambda gives no reason';
}

/** When a configuration was changed, in milliseconds since the epoch; Lambda writes an offset without a colon. */
export function changedAt({ LastModified = '' }: FunctionConfiguration): number {
  return Date.parse(LastModified.replace(/\+0000$/, 'Z'));
}

/** Whether Lambda could not apply the last change, and goes on with what was there before. */
export function hasFailed({ LastUpdateStatus }: FunctionConfiguration): boolean {
  return LastUpdateStatus === 'Failed';
}

/**
 * Names of what one configuration has otherwise than another, beside the variable that the adapter changes and those that
 * adapters of the function's other secrets do: their roll-outs may be under way at the same time.
 */
export function differences(
  a: FunctionConfiguration,
  b: FunctionConfiguration,
  variable: string,
): readonly string[] {
  const [one, other] = [comparable(a, variable), comparable(b, variable)];
  return Object.keys(one).filter((name) => !isDeepStrictEqual(one[name], other[name]));
}

/** The form of `rollOutMark`. A value of the team's that has it by chance is compared where the other side has another form. */
const markForm = /^[\w-]{32,64}\.[0-9a-f]{12}$/;

function comparable(
  configuration: FunctionConfiguration,
  variable: string,
): Readonly<Record<string, unknown>> {
  const { Layers = [], VpcConfig, FileSystemConfigs = [] } = configuration;
  const variables = Object.entries(variablesOf(configuration)).filter(
    ([name, value]) => name !== variable && !markForm.test(value),
  );
  return {
    CodeSha256: configuration.CodeSha256,
    Runtime: configuration.Runtime,
    Handler: configuration.Handler,
    Role: configuration.Role,
    Timeout: configuration.Timeout,
    MemorySize: configuration.MemorySize,
    Architectures: configuration.Architectures,
    Layers: Layers.map(({ Arn }) => Arn),
    VpcConfig: [VpcConfig?.SubnetIds ?? [], VpcConfig?.SecurityGroupIds ?? []],
    EphemeralStorage: configuration.EphemeralStorage,
    DeadLetterConfig: configuration.DeadLetterConfig?.TargetArn,
    ImageConfigResponse: configuration.ImageConfigResponse?.ImageConfig,
    FileSystemConfigs: FileSystemConfigs.map(({ Arn, LocalMountPath }) => [Arn, LocalMountPath]),
    KMSKeyArn: configuration.KMSKeyArn,
    TracingConfig: configuration.TracingConfig?.Mode,
    LoggingConfig: configuration.LoggingConfig,
    // Whether a snapshot was taken differs always: Lambda takes none of $LATEST.
    SnapStart: configuration.SnapStart?.ApplyOn,
    Environment: Object.fromEntries(variables),
  };
}
