import type * as z from 'zod/mini';
import type { AdapterDefinition, AdapterGrant } from './adapter';
import { ecsDefinition } from './ecs/definition';
import { type AdapterEnvironment, parseSettings } from './environment';
import { httpsDefinition } from './https/definition';
import { kubernetesDefinition } from './kubernetes/definition';
import { lambdaDefinition } from './lambda/definition';
import { rdsDefinition } from './rds/definition';
import { ssmDefinition } from './ssm/definition';

/**
 * Every adapter by its name, which is also its folder: `adapters/<name>/main.ts` is the entry of its function.
 *
 * This is what infrastructure, documents and tests walk over. No SDK is loaded here.
 */
export const adapterDefinitions = {
  ecs: ecsDefinition,
  lambda: lambdaDefinition,
  kubernetes: kubernetesDefinition,
  https: httpsDefinition,
  ssm: ssmDefinition,
  rds: rdsDefinition,
} as const satisfies Readonly<Record<string, AdapterDefinition<object>>>;

export type AdapterName = keyof typeof adapterDefinitions;

/** The adapters' names, in the order of the registry. */
export const adapterNames = Object.keys(adapterDefinitions) as AdapterName[];

/** The environment variables of every adapter's function. */
export type { AdapterEnvironment };

type Schema<Name extends AdapterName> = (typeof adapterDefinitions)[Name]['settings'];

/** What may be written as settings of one adapter, before defaults; values may be CDK tokens. */
export type SettingsInput<Name extends AdapterName> =
  unknown extends z.input<Schema<Name>> ? z.output<Schema<Name>> : z.input<Schema<Name>>;

/** An adapter's settings with their defaults, and what its role may do by them. */
export interface ResolvedAdapter {
  readonly settings: object;
  readonly grants: readonly AdapterGrant[];
}

/** Checks settings as the function will, and says what follows from them. SettingsInvalid names the field. */
export function resolveAdapter<Name extends AdapterName>(
  name: Name,
  input: SettingsInput<Name>,
): ResolvedAdapter {
  const definition: AdapterDefinition<object> = adapterDefinitions[name];
  const settings = parseSettings(definition.settings, JSON.stringify(input));
  return { settings, grants: definition.grants(settings) };
}
