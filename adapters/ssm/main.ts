import { adapterHandler } from '../handler';
import { openSsm } from './adapter';
import { ssmDefinition } from './definition';

/** Entry of the function. */
export const handler = adapterHandler(ssmDefinition, openSsm);
