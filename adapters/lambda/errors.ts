import { defineAdapterError } from '../errors';

/** Lambda does not show the function's variables to the adapter, so that changing one would lose the others. */
export class VariablesUnreadable extends defineAdapterError('VariablesUnreadable', true) {}
/** The alias divides its callers between two versions, and nobody says which of them is to be replaced. */
export class AliasWeighted extends defineAdapterError('AliasWeighted', true) {}
/** $LATEST is another function than the one the alias serves, so that publishing it would be a release. */
export class LatestDiffers extends defineAdapterError('LatestDiffers', true) {}
/** Lambda could not apply the new configuration, and goes on with the one from before. */
export class UpdateFailed extends defineAdapterError('UpdateFailed', true) {}
