import * as z from 'zod';
import { parsePolicy, PolicyMalformed } from '../iam/policy-document';
import { ServiceError, type Operation } from '../kernel/service';
import { identify, openSecret, operation, type Context } from './context';

const day = 24 * 60 * 60 * 1000;

/** DeleteSecret: marks a secret for deletion, or removes it at once. */
export function deleteSecret(context: Context): Operation {
  const shape = z.object({
    SecretId: z.string(),
    RecoveryWindowInDays: z.optional(z.int()),
    ForceDeleteWithoutRecovery: z.optional(z.boolean()),
  });
  return operation('DeleteSecret', shape, (input, call) => {
    const { store, surroundings, driver } = context;
    const force = input.ForceDeleteWithoutRecovery === true;
    const now = surroundings.clock.now();
    const conditions = {
      'secretsmanager:ForceDeleteWithoutRecovery': String(force),
      ...(input.RecoveryWindowInDays === undefined
        ? {}
        : { 'secretsmanager:RecoveryWindowInDays': String(input.RecoveryWindowInDays) }),
    };
    if (force && store.find(input.SecretId) === undefined) {
      // AWS answers a forced deletion of nothing as if it had deleted something.
      surroundings.authorize(call, {
        action: 'secretsmanager:DeleteSecret',
        resource: input.SecretId,
        conditions: { ...conditions, 'secretsmanager:SecretId': input.SecretId },
      });
      return { ARN: store.arnOf(input.SecretId), Name: input.SecretId, DeletionDate: new Date(now) };
    }
    const secret = openSecret(context, call, 'DeleteSecret', input.SecretId, { conditions, anyState: true });
    if (secret.replicas.size > 0)
      throw new ServiceError(
        'InvalidParameterException',
        `You can't delete secret ${input.SecretId} that still has replica regions [${[...secret.replicas.keys()].join(', ')}]`,
      );
    if (force && input.RecoveryWindowInDays !== undefined)
      throw new ServiceError(
        'InvalidParameterException',
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
      );
    const days = input.RecoveryWindowInDays ?? 30;
    if (days < 7 || days > 30)
      throw new ServiceError(
        'InvalidParameterException',
        'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
      );
    if (!force && secret.deletion !== undefined)
      throw new ServiceError(
        'InvalidRequestException',
        "You can't perform this operation on the secret because it was already scheduled for deletion.",
      );
    driver.cancel(secret);
    if (force) {
      store.remove(secret);
      return { ...identify(secret), DeletionDate: new Date(now) };
    }
    secret.deletion = { at: now, goneAt: now + days * day };
    return { ...identify(secret), DeletionDate: new Date(secret.deletion.goneAt) };
  });
}

/** RestoreSecret: takes a secret out of its recovery window. */
export function restoreSecret(context: Context): Operation {
  return operation('RestoreSecret', z.object({ SecretId: z.string() }), (input, call) => {
    const secret = openSecret(context, call, 'RestoreSecret', input.SecretId, { anyState: true });
    secret.deletion = undefined;
    context.driver.schedule(secret);
    return identify(secret);
  });
}

/** PutResourcePolicy: replaces the secret's policy. */
export function putResourcePolicy(context: Context): Operation {
  const shape = z.object({
    SecretId: z.string(),
    ResourcePolicy: z.string().min(1).max(20_480),
    BlockPublicPolicy: z.optional(z.boolean()),
  });
  return operation('PutResourcePolicy', shape, (input, call) => {
    const secret = openSecret(context, call, 'PutResourcePolicy', input.SecretId, {
      conditions: { 'secretsmanager:BlockPublicPolicy': String(input.BlockPublicPolicy === true) },
    });
    const document = policyObject(input.ResourcePolicy);
    if (input.BlockPublicPolicy === true && isPublic(document))
      throw new ServiceError(
        'PublicPolicyException',
        "You can't attach a resource policy that allows broad access to the secret.",
      );
    secret.policy = { text: input.ResourcePolicy, document };
    context.replication.changed(secret);
    return identify(secret);
  });
}

/** GetResourcePolicy: the secret's policy as it was put; no ResourcePolicy where there is none. */
export function getResourcePolicy(context: Context): Operation {
  return operation('GetResourcePolicy', z.object({ SecretId: z.string() }), (input, call) => {
    const secret = openSecret(context, call, 'GetResourcePolicy', input.SecretId);
    return {
      ...identify(secret),
      ...(secret.policy === undefined ? {} : { ResourcePolicy: secret.policy.text }),
    };
  });
}

/** DeleteResourcePolicy: leaves the decision to the callers' own policies. */
export function deleteResourcePolicy(context: Context): Operation {
  return operation('DeleteResourcePolicy', z.object({ SecretId: z.string() }), (input, call) => {
    const secret = openSecret(context, call, 'DeleteResourcePolicy', input.SecretId);
    secret.policy = undefined;
    context.replication.changed(secret);
    return identify(secret);
  });
}

/** ValidateResourcePolicy: whether a policy could be put, without putting it. */
export function validateResourcePolicy(context: Context): Operation {
  const shape = z.object({ SecretId: z.optional(z.string()), ResourcePolicy: z.string().min(1).max(20_480) });
  return operation('ValidateResourcePolicy', shape, (input, call) => {
    if (input.SecretId === undefined)
      context.surroundings.authorize(call, {
        action: 'secretsmanager:ValidateResourcePolicy',
        resource: '*',
      });
    else openSecret(context, call, 'ValidateResourcePolicy', input.SecretId);
    const document = policyObject(input.ResourcePolicy);
    const errors = isPublic(document)
      ? [{ CheckName: 'PUBLIC_POLICY', ErrorMessage: 'The policy allows broad access to the secret.' }]
      : [];
    return { PolicyValidationPassed: errors.length === 0, ValidationErrors: errors };
  });
}

/** TagResource: adds tags or replaces their values. */
export function tagResource(context: Context): Operation {
  const shape = z.object({
    SecretId: z.string(),
    Tags: z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) })),
  });
  return operation('TagResource', shape, (input, call) => {
    const secret = openSecret(context, call, 'TagResource', input.SecretId, {
      conditions: {
        'aws:TagKeys': input.Tags.map((tag) => tag.Key),
        ...Object.fromEntries(input.Tags.map((tag) => [`aws:RequestTag/${tag.Key}`, tag.Value])),
      },
    });
    secret.changedAt = context.surroundings.clock.now();
    secret.tags ??= new Map();
    for (const tag of input.Tags) secret.tags.set(tag.Key, tag.Value);
    context.replication.changed(secret);
    return {};
  });
}

/** UntagResource: removes tags; a key that is not there is passed over. */
export function untagResource(context: Context): Operation {
  const shape = z.object({ SecretId: z.string(), TagKeys: z.array(z.string()) });
  return operation('UntagResource', shape, (input, call) => {
    const secret = openSecret(context, call, 'UntagResource', input.SecretId, {
      conditions: { 'aws:TagKeys': input.TagKeys },
    });
    secret.changedAt = context.surroundings.clock.now();
    for (const key of input.TagKeys) secret.tags?.delete(key);
    context.replication.changed(secret);
    return {};
  });
}

function policyObject(text: string): object {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== 'object' || document === null) throw new PolicyMalformed('not an object');
    parsePolicy(document);
    return document;
  } catch (error) {
    if (error instanceof PolicyMalformed || error instanceof SyntaxError)
      throw new ServiceError(
        'MalformedPolicyDocumentException',
        'This resource policy contains invalid Json.',
      );
    throw error;
  }
}

/** Whether a statement allows anyone without any condition. */
function isPublic(document: object): boolean {
  return parsePolicy(document).statements.some(
    (statement) =>
      statement.effect === 'Allow' &&
      statement.principals?.anyone === true &&
      statement.conditions.length === 0,
  );
}
