import type * as z from 'zod';
import { parseInput } from '../kernel/shape';
import { ServiceError, type Call, type Operation, type Surroundings } from '../kernel/service';
import type { RotationDriver, RotationFunctions } from './rotation-driver';
import type { Replication } from './replication';
import type { Secret } from './secret';
import type { SecretStore } from './secret-store';

/** A check that the caller may use a KMS key through Secrets Manager; throws where it may not. */
export type AuthorizeKeyUse = (call: Call, keyArn: string, action: string, viaService: string) => void;

/** What every operation works with. */
export interface Context {
  readonly surroundings: Surroundings;
  readonly store: SecretStore;
  readonly driver: RotationDriver;
  readonly replication: Replication;
  readonly functions: Pick<RotationFunctions, 'mayInvoke'>;
  readonly authorizeKeyUse: AuthorizeKeyUse | undefined;
}

/** Condition keys of one request, besides those that the secret itself has. */
export type Conditions = Readonly<Record<string, string | readonly string[]>>;

/** Defines an operation: its shape is checked first, then its body runs. */
export function operation<Shape extends z.ZodRawShape>(
  name: string,
  shape: z.ZodObject<Shape>,
  run: (input: z.infer<z.ZodObject<Shape>>, call: Call) => object,
): Operation {
  return async (input, call) => {
    const secretId = input['SecretId'] ?? input['Name'];
    if (typeof secretId === 'string') assertValidName(secretId);
    return run(parseInput(name, shape, input), call);
  };
}

/** Refuses names with other characters than AWS allows; ARNs pass. */
export function assertValidName(name: string): void {
  if (name.startsWith('arn:') || /^[A-Za-z0-9/_+=.@!-]{1,512}$/u.test(name)) return;
  throw new ServiceError(
    'ValidationException',
    'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
  );
}

/** Writes need a token, because it becomes the version's id; the SDKs and the CLI add one. */
export function assertToken(
  input: Readonly<Record<string, unknown>>,
  code = 'InvalidRequestException',
): void {
  if (typeof input['ClientRequestToken'] === 'string') return;
  throw new ServiceError(
    code,
    'You must provide a ClientRequestToken value. We recommend a UUID-type value.',
  );
}

/** What can be done with a replica; everything else is done with its primary. */
const onReplicas = new Set([
  'DescribeSecret',
  'GetResourcePolicy',
  'GetSecretValue',
  'ListSecretVersionIds',
  'StopReplicationToReplica',
  'ValidateResourcePolicy',
]);

/**
 * Authorises the call and finds the secret.
 *
 * A caller without permission learns nothing about whether a secret exists. `anyState` lets operations through that work on
 * a secret marked for deletion.
 */
export function openSecret(
  context: Context,
  call: Call,
  action: string,
  secretId: string,
  options: { readonly conditions?: Conditions; readonly anyState?: boolean } = {},
): Secret {
  const secret = context.store.find(secretId);
  context.surroundings.authorize(call, {
    action: `secretsmanager:${action}`,
    resource: secret?.arn ?? secretId,
    resourcePolicy: secret?.policy?.document,
    conditions: { ...secretConditions(secret, secretId), ...options.conditions },
  });
  if (secret === undefined)
    throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  if (secret.deletion !== undefined && options.anyState !== true) throw markedForDeletion();
  if (secret.primaryRegion !== undefined && !onReplicas.has(action))
    throw new ServiceError(
      'InvalidParameterException',
      "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
    );
  return secret;
}

/** The refusal of everything but reading metadata, restoring and deleting on a secret marked for deletion. */
export function markedForDeletion(): ServiceError {
  return new ServiceError(
    'InvalidRequestException',
    "You can't perform this operation on the secret because it was marked for deletion.",
  );
}

/** Checks the caller's right to the secret's customer-managed key; AWS hides KMS's own message. */
export function useKey(context: Context, call: Call, secret: Pick<Secret, 'kmsKeyId'>, action: string): void {
  const { kmsKeyId } = secret;
  const { region, account } = context.surroundings;
  if (kmsKeyId === undefined || kmsKeyId.endsWith('alias/aws/secretsmanager')) {
    if (call.principal.account === account) return;
    throw new ServiceError(
      'InvalidRequestException',
      "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.",
    );
  }
  try {
    context.authorizeKeyUse?.(call, kmsKeyId, action, `secretsmanager.${region}.amazonaws.com`);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'AccessDeniedException')
      throw new ServiceError('AccessDeniedException', 'Access to KMS is not allowed');
    throw error;
  }
}

function secretConditions(secret: Secret | undefined, secretId: string): Conditions {
  const tags = [...(secret?.tags ?? [])];
  const lambda = secret?.rotation?.lambdaArn;
  return {
    'secretsmanager:SecretId': secret?.arn ?? secretId,
    ...(lambda === undefined ? {} : { 'secretsmanager:resource/AllowRotationLambdaArn': lambda }),
    ...Object.fromEntries(
      tags.flatMap(([key, value]) => [
        [`aws:ResourceTag/${key}`, value],
        [`secretsmanager:ResourceTag/${key}`, value],
      ]),
    ),
  };
}

/** The answer that most operations begin with. */
export function identify(secret: Secret): { readonly ARN: string; readonly Name: string } {
  return { ARN: secret.arn, Name: secret.name };
}
