import { RotatorUnknown } from '../domain/errors';
import { alternatingDefinition, singleDefinition } from './postgres/definition';
import { aclDefinition } from './redis/definition';
import { generatedDefinition } from './generated/definition';
import { httpApiKeyDefinition } from './http/definition';
import { oauthClientSecretDefinition } from './oauth/definition';
import { accessKeyDefinition } from './iam/definition';
import { lambdaDefinition } from './lambda/definition';
import { mysqlAlternatingDefinition, mysqlSingleDefinition } from './mysql/definition';
import type { SealedRotator } from './rotator';
import { seal } from './seal';
import { keyDefinition } from './ssh/definition';

/** Every rotator, one line each. Drivers are loaded by the first verb, so that reading traits costs nothing. */
export const rotators = {
  'postgres-alternating': seal(
    alternatingDefinition,
    async () => (await import('./postgres/alternating')).alternating,
  ),
  'postgres-single': seal(singleDefinition, async () => (await import('./postgres/single')).single),
  'mysql-alternating': seal(
    mysqlAlternatingDefinition,
    async () => (await import('./mysql/alternating')).alternating,
  ),
  'mysql-single': seal(mysqlSingleDefinition, async () => (await import('./mysql/single')).single),
  'redis-acl': seal(aclDefinition, async () => (await import('./redis/acl')).acl),
  'ssh-key': seal(keyDefinition, async () => (await import('./ssh/key')).key),
  'http-api-key': seal(httpApiKeyDefinition, async () => (await import('./http/api-key')).apiKey),
  'oauth-client-secret': seal(
    oauthClientSecretDefinition,
    async () => (await import('./oauth/client-secret')).clientSecret,
  ),
  'iam-access-key': seal(accessKeyDefinition, async () => (await import('./iam/access-key')).accessKey),
  lambda: seal(lambdaDefinition, async () => (await import('./lambda/lambda')).lambda),
  generated: seal(generatedDefinition, async () => (await import('./generated/generated')).generated),
} as const satisfies Readonly<Record<string, SealedRotator>>;

export type RotatorName = keyof typeof rotators;

/** A rotator and the name that it goes by in policies, events and reports. */
export interface ChosenRotator {
  readonly name: RotatorName;
  readonly rotator: SealedRotator;
}

/** Every rotator's name, in the registry's order. */
export const rotatorNames = Object.keys(rotators).filter(isRotatorName);

/** Whether a policy may name it. */
export function isRotatorName(name: string): name is RotatorName {
  return Object.hasOwn(rotators, name);
}

/** Chooses the rotator that the policy names, or else the one that claims the secret. RotatorUnknown, SecretMalformed. */
export function rotatorFor(secretString: string, policyName?: string): ChosenRotator {
  const known = rotatorNames.join(', ');
  if (policyName !== undefined) {
    if (!isRotatorName(policyName))
      throw new RotatorUnknown(`the policy names rotator ${policyName}, and there are only ${known}`);
    return { name: policyName, rotator: rotators[policyName] };
  }
  const name = rotatorNames.find((candidate) => rotators[candidate].claims(secretString));
  if (name === undefined)
    throw new RotatorUnknown(`no rotator takes a secret with this engine; there are ${known}`);
  return { name, rotator: rotators[name] };
}
