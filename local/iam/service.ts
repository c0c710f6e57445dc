import * as z from 'zod';
import { ServiceError, type Call, type Operation, type Service, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { PolicyMalformed } from './policy-document';
import { uniqueId } from './unique-id';
import type { AccessKey, User, UserStore } from './user-store';

const userName = z.string().regex(/^[\w+=,.@-]{1,64}$/u);
const accessKeyId = z.string().regex(/^\w{16,128}$/u);

const userShape = z.object({ UserName: userName });
const ownUserShape = z.object({ UserName: z.optional(userName) });
const createUserShape = z.object({
  UserName: userName,
  Path: z.optional(z.string().regex(/^(?:\/|\/[\x21-\x7e]+\/)$/u)),
});
const policyShape = z.object({
  UserName: userName,
  PolicyName: z.string().regex(/^[\w+=,.@-]{1,128}$/u),
  PolicyDocument: z.string().min(1).max(131_072),
});
const updateKeyShape = z.object({
  UserName: z.optional(userName),
  AccessKeyId: accessKeyId,
  Status: z.enum(['Active', 'Inactive']),
});
const deleteKeyShape = z.object({ UserName: z.optional(userName), AccessKeyId: accessKeyId });
const lastUsedShape = z.object({ AccessKeyId: accessKeyId });

/** The embedded IAM's own API: users, their inline policies and their access keys. Roles come from templates. */
export function createIdentityManagement(surroundings: Surroundings, users: UserStore): Service {
  const asUser = (call: Call, action: string, name: string) =>
    surroundings.authorize(call, { action: `iam:${action}`, resource: users.arnOf(name) });

  /** An operation on one user: the one that is named, or else the caller. */
  const onUser =
    <Shape extends z.ZodRawShape>(
      operation: string,
      shape: z.ZodObject<Shape>,
      run: (request: z.infer<z.ZodObject<Shape>>, name: string) => object,
    ): Operation =>
    async (input, call) => {
      const request = read(operation, shape, input);
      const named: unknown = input['UserName'];
      const name = typeof named === 'string' ? named : callersName(call);
      asUser(call, operation, name);
      return run(request, name);
    };

  return {
    id: 'iam',
    operations: {
      CreateUser: async (input, call) => {
        const { UserName, Path = '/' } = read('CreateUser', createUserShape, input);
        const { account, partition } = surroundings;
        const resource = `arn:${partition}:iam::${account}:user${Path}${UserName}`;
        surroundings.authorize(call, { action: 'iam:CreateUser', resource });
        return { User: describeUser(users.create(UserName, Path)) };
      },
      GetUser: onUser('GetUser', ownUserShape, (_, name) => ({ User: describeUser(users.user(name)) })),
      DeleteUser: onUser('DeleteUser', userShape, (_, name) => {
        users.delete(name);
        return {};
      }),
      PutUserPolicy: onUser('PutUserPolicy', policyShape, ({ PolicyName, PolicyDocument }, name) => {
        users.user(name);
        try {
          users.putPolicy(name, PolicyName, PolicyDocument);
        } catch (error) {
          if (!(error instanceof PolicyMalformed)) throw error;
          throw new ServiceError('MalformedPolicyDocument', error.message);
        }
        return {};
      }),
      CreateAccessKey: onUser('CreateAccessKey', ownUserShape, (_, name) => {
        const key = users.addKey(name);
        return { AccessKey: { ...describeKey(key), SecretAccessKey: key.secretAccessKey } };
      }),
      ListAccessKeys: onUser('ListAccessKeys', ownUserShape, (_, name) => {
        users.user(name);
        return { UserName: name, AccessKeyMetadata: users.keysOf(name).map(describeKey), IsTruncated: false };
      }),
      UpdateAccessKey: onUser('UpdateAccessKey', updateKeyShape, ({ AccessKeyId, Status }, name) => {
        users.keyOf(name, AccessKeyId).status = Status;
        return {};
      }),
      DeleteAccessKey: onUser('DeleteAccessKey', deleteKeyShape, ({ AccessKeyId }, name) => {
        users.deleteKey(name, AccessKeyId);
        return {};
      }),
      GetAccessKeyLastUsed: async (input, call) => {
        const { AccessKeyId } = read('GetAccessKeyLastUsed', lastUsedShape, input);
        const key = users.key(AccessKeyId);
        const resource = key === undefined ? '*' : users.arnOf(key.userName);
        surroundings.authorize(call, { action: 'iam:GetAccessKeyLastUsed', resource });
        if (key === undefined)
          throw new ServiceError(
            'NoSuchEntity',
            `The Access Key with id ${AccessKeyId} cannot be found.`,
            404,
          );
        return { UserName: key.userName, AccessKeyLastUsed: describeUse(key) };
      },
    },
  };
}

/** IAM's own word for what other services call ValidationException. */
function read<Shape extends z.ZodRawShape>(
  operation: string,
  shape: z.ZodObject<Shape>,
  input: Readonly<Record<string, unknown>>,
): z.infer<z.ZodObject<Shape>> {
  try {
    return parseInput(operation, shape, input);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'ValidationException')
      throw new ServiceError('ValidationError', error.message);
    throw error;
  }
}

function callersName({ principal }: Call): string {
  if (principal.kind === 'user') return principal.userName;
  throw new ServiceError('ValidationError', 'Must specify userName when calling with non-User credentials');
}

function describeUser({ path, name, arn, createdAt }: User): object {
  const UserId = uniqueId('AIDA', arn);
  return { Path: path, UserName: name, UserId, Arn: arn, CreateDate: wholeSeconds(createdAt) };
}

function describeKey({ userName: UserName, accessKeyId: AccessKeyId, status, createdAt }: AccessKey): object {
  return { UserName, AccessKeyId, Status: status, CreateDate: wholeSeconds(createdAt) };
}

function describeUse({ lastUsed }: AccessKey): object {
  if (lastUsed === undefined) return { ServiceName: 'N/A', Region: 'N/A' };
  const { at, service, region } = lastUsed;
  return { LastUsedDate: wholeSeconds(at), ServiceName: service, Region: region };
}

function wholeSeconds(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}
