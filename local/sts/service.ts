import * as z from 'zod';
import type { RoleStore } from '../iam/role-store';
import { uniqueId } from '../iam/unique-id';
import { parseInput } from '../kernel/shape';
import { ServiceError, type Call, type Operation, type Service, type Surroundings } from '../kernel/service';

const assumeShape = z.object({
  RoleArn: z.string().min(20).max(2048),
  RoleSessionName: z.string().regex(/^[\w+=,.@-]{2,64}$/u),
  DurationSeconds: z.optional(z.coerce.number().int().min(900).max(43_200)),
  ExternalId: z.optional(z.string()),
});

/** The embedded STS: who a caller is, and roles for callers whom their trust policies allow. */
export function createTokenService(surroundings: Surroundings, roles: RoleStore): Service {
  const getCallerIdentity: Operation = async (input, call) => {
    parseInput('GetCallerIdentity', z.object({}), input);
    // AWS asks for no permission here, not even against an explicit deny.
    const { principal } = call;
    if (principal.kind === 'service')
      throw new ServiceError(
        'InvalidClientTokenId',
        'The security token included in the request is invalid.',
        403,
      );
    return { UserId: userId(call), Account: principal.account, Arn: principal.arn };
  };

  const assumeRole: Operation = async (input, call) => {
    const request = parseInput('AssumeRole', assumeShape, input);
    const asking: Call = {
      ...call,
      conditions: {
        ...call.conditions,
        'sts:RoleSessionName': request.RoleSessionName,
        ...(request.ExternalId === undefined ? {} : { 'sts:ExternalId': request.ExternalId }),
      },
    };
    const session = roles.assumeAs(
      asking,
      request.RoleArn,
      request.RoleSessionName,
      request.DurationSeconds ?? 3600,
    );
    const { principal } = session;
    return {
      Credentials: {
        AccessKeyId: session.accessKeyId,
        SecretAccessKey: session.secretAccessKey,
        SessionToken: session.sessionToken,
        Expiration: new Date(session.expiresAt ?? surroundings.clock.now()),
      },
      AssumedRoleUser: { AssumedRoleId: userId({ ...call, principal }), Arn: principal.arn },
    };
  };

  return { id: 'sts', operations: { GetCallerIdentity: getCallerIdentity, AssumeRole: assumeRole } };
}

/** The opaque id of a caller; behind that of a role stands the session's name. */
function userId({ principal }: Call): string {
  switch (principal.kind) {
    case 'service':
      return principal.service;
    case 'role':
      return `${uniqueId('AROA', principal.roleArn)}:${principal.arn.split('/').at(-1) ?? ''}`;
    case 'operator':
    case 'user':
      return uniqueId('AIDA', principal.arn);
  }
}
