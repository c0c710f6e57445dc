import { RotatorUnknown } from '../domain/errors';
import { alternatingDefinition, singleDefinition } from './postgres/definition';
import type { SealedRotator } from './rotator';
import { seal } from './seal';

/** Every rotator, one line each. Drivers are loaded by the first verb, so that reading traits costs nothing. */
export const rotators = {
  'postgres-alternating': seal(
    alternatingDefinition,
    async () => (await import('./postgres/alternating')).alternating,
  ),
  'postgres-single': seal(singleDefinition, async () => (await import('./postgres/single')).single),
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
