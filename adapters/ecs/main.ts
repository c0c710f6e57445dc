import { adapterHandler } from '../handler';
import { openEcs } from './adapter';
import { ecsDefinition } from './definition';

/** Entry of the function that acts for an ECS service. */
export const handler = adapterHandler(ecsDefinition, openEcs);
