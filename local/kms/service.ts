import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { parsePolicy, PolicyMalformed } from '../iam/policy-document';
import { parseInput } from '../kernel/shape';
import { ServiceError, type Call, type Operation, type Service, type Surroundings } from '../kernel/service';

interface Key {
  readonly id: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly description: string;
  policy: { readonly text: string; readonly document: object };
  rotation: boolean;
}

/** The embedded KMS and the check that other services make on behalf of their callers. */
export interface KeyManagement extends Service {
  /**
   * Refuses with AccessDeniedException unless the caller may do `action` with the key through `viaService`.
   *
   * The key is named by ARN, id, alias or alias ARN. A key of AWS (`alias/aws/…`) serves the account's own identities
   * through its service; its policy names no AWS service, which is why a service cannot publish to a topic encrypted with it.
   */
  authorizeKeyUse(call: Call, keyId: string, action: string, viaService: string): void;
}

/**
 * Builds the embedded KMS. It keeps keys, aliases and policies and judges who may use a key; it encrypts nothing,
 * because nothing of the embedded cloud is written to disk.
 */
export function createKeyManagement(surroundings: Surroundings): KeyManagement {
  const { account, authorize, clock, partition, region } = surroundings;
  const keys = new Map<string, Key>();
  const aliases = new Map<string, string>();
  const arn = (resource: string) => `arn:${partition}:kms:${region}:${account}:${resource}`;

  const findKey = (reference: string): Key => {
    const resource = /^arn:[^:]+:kms:[^:]*:\d*:(.+)$/u.exec(reference)?.[1] ?? reference;
    if (resource.startsWith('alias/')) {
      const key = keys.get(aliases.get(resource) ?? '');
      if (key === undefined)
        throw new ServiceError('NotFoundException', `Alias ${arn(resource)} is not found.`);
      return key;
    }
    const id = resource.replace(/^key\//u, '');
    const key = keys.get(id);
    if (key === undefined)
      throw new ServiceError('NotFoundException', `Key '${arn(`key/${id}`)}' does not exist`);
    return key;
  };
  const allow = (call: Call, key: Key, action: string, viaService?: string) => {
    authorize(call, {
      action,
      resource: key.arn,
      resourcePolicy: key.policy.document,
      conditions: {
        'kms:CallerAccount': call.principal.account,
        ...(viaService === undefined ? {} : { 'kms:ViaService': viaService }),
      },
    });
  };
  const keyOperation =
    <Shape extends z.ZodRawShape & { readonly KeyId: z.ZodString }>(
      name: string,
      shape: z.ZodObject<Shape>,
      run: (key: Key, request: z.infer<z.ZodObject<Shape>>) => object,
    ): Operation =>
    async (input, call) => {
      const request = parseInput(name, shape, input);
      const key = findKey(z.string().parse(input['KeyId']));
      allow(call, key, `kms:${name}`);
      return run(key, request);
    };

  const createKey: Operation = async (input, call) => {
    const request = parseInput('CreateKey', createShape, input);
    authorize(call, { action: 'kms:CreateKey', resource: '*', resourcePolicy: ownAccount(surroundings) });
    const id = randomUUID();
    const key: Key = {
      id,
      arn: arn(`key/${id}`),
      createdAt: clock.now(),
      description: request.Description ?? '',
      policy: readPolicy(request.Policy ?? JSON.stringify(ownAccount(surroundings))),
      rotation: false,
    };
    keys.set(id, key);
    return { KeyMetadata: describe(key, account) };
  };

  const createAlias: Operation = async (input, call) => {
    const request = parseInput('CreateAlias', aliasShape, input);
    const key = findKey(request.TargetKeyId);
    allow(call, key, 'kms:CreateAlias');
    authorize(call, {
      action: 'kms:CreateAlias',
      resource: arn(request.AliasName),
      resourcePolicy: ownAccount(surroundings),
    });
    if (!/^alias\/[a-zA-Z0-9/_-]+$/u.test(request.AliasName))
      throw new ServiceError(
        'ValidationException',
        'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
      );
    if (request.AliasName.startsWith('alias/aws/')) throw new ServiceError('NotAuthorizedException', '');
    if (aliases.has(request.AliasName))
      throw new ServiceError(
        'AlreadyExistsException',
        `An alias with the name ${arn(request.AliasName)} already exists`,
      );
    aliases.set(request.AliasName, key.id);
    return {};
  };

  const listAliases: Operation = async (input, call) => {
    const request = parseInput('ListAliases', z.object({ KeyId: z.optional(z.string()) }), input);
    authorize(call, { action: 'kms:ListAliases', resource: '*', resourcePolicy: ownAccount(surroundings) });
    const only = request.KeyId === undefined ? undefined : findKey(request.KeyId).id;
    return {
      Aliases: [...aliases]
        .filter(([, id]) => only === undefined || id === only)
        .map(([AliasName, TargetKeyId]) => ({ AliasName, AliasArn: arn(AliasName), TargetKeyId })),
      Truncated: false,
    };
  };

  return {
    id: 'kms',
    operations: {
      CreateKey: createKey,
      CreateAlias: createAlias,
      ListAliases: listAliases,
      DescribeKey: keyOperation('DescribeKey', keyShape, (key) => ({ KeyMetadata: describe(key, account) })),
      EnableKeyRotation: keyOperation('EnableKeyRotation', enableRotationShape, (key) => {
        key.rotation = true;
        return {};
      }),
      GetKeyRotationStatus: keyOperation('GetKeyRotationStatus', keyShape, (key) => ({
        KeyRotationEnabled: key.rotation,
      })),
      GetKeyPolicy: keyOperation('GetKeyPolicy', getPolicyShape, (key) => ({
        Policy: key.policy.text,
        PolicyName: 'default',
      })),
      PutKeyPolicy: keyOperation('PutKeyPolicy', putPolicyShape, (key, request) => {
        key.policy = readPolicy(request.Policy);
        return {};
      }),
    },
    authorizeKeyUse(call, keyId, action, viaService) {
      const managed = /(?:^|:)alias\/aws\/(\w+)$/u.exec(keyId)?.[1];
      if (managed === undefined) {
        allow(call, findKey(keyId), action, viaService);
        return;
      }
      const serves = viaService.startsWith(`${managed}.`) && call.principal.account === account;
      if (serves && call.principal.kind !== 'service') return;
      authorize(call, { action, resource: arn(`alias/aws/${managed}`), resourcePolicy: nobody });
    },
  };
}

const createShape = z.object({
  Policy: z.optional(z.string().min(1).max(32_768)),
  Description: z.optional(z.string().max(8192)),
  KeyUsage: z.optional(z.literal('ENCRYPT_DECRYPT')),
  KeySpec: z.optional(z.literal('SYMMETRIC_DEFAULT')),
  Tags: z.optional(z.array(z.strictObject({ TagKey: z.string(), TagValue: z.string() }))),
});
const aliasShape = z.object({ AliasName: z.string(), TargetKeyId: z.string() });
const keyShape = z.object({ KeyId: z.string() });
const enableRotationShape = z.object({
  KeyId: z.string(),
  RotationPeriodInDays: z.optional(z.int().min(90).max(2560)),
});
const policyName = z.optional(z.literal('default'));
const getPolicyShape = z.object({ KeyId: z.string(), PolicyName: policyName });
const putPolicyShape = z.object({
  KeyId: z.string(),
  PolicyName: policyName,
  Policy: z.string().min(1).max(32_768),
});

const nobody = { Version: '2012-10-17', Statement: [] };

/** AWS's default key policy: the account decides, by its identity policies. */
function ownAccount({ account, partition }: Pick<Surroundings, 'account' | 'partition'>): object {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:${partition}:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  };
}

function readPolicy(text: string): Key['policy'] {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== 'object' || document === null) throw new PolicyMalformed('it is not an object');
    parsePolicy(document);
    return { text, document };
  } catch (error) {
    if (!(error instanceof PolicyMalformed) && !(error instanceof SyntaxError)) throw error;
    throw new ServiceError(
      'MalformedPolicyDocumentException',
      `Policy contains a statement that is not valid: ${error.message}`,
    );
  }
}

function describe(key: Key, account: string): object {
  return {
    AWSAccountId: account,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: new Date(key.createdAt),
    Enabled: true,
    Description: key.description,
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: 'Enabled',
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
  };
}
