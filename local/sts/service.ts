import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { RoleStore } from '../iam/role-store';
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

/** AWS's opaque id of a role, made from its ARN so that it stays the same, with the session's name behind it. */
function userId(call: Call): string {
  const { principal } = call;
  if (principal.kind === 'service') return principal.service;
  const of = principal.kind === 'role' ? principal.roleArn : principal.arn;
  const id = createHash('sha256').update(of).digest('hex').slice(0, 17).toUpperCase();
  return principal.kind === 'role' ? `AROA${id}:${principal.arn.split('/').at(-1) ?? ''}` : `AIDA${id}`;
}
