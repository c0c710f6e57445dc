import { adapterHandler } from '../handler';
import { openRds } from './adapter';
import { rdsDefinition } from './definition';

/** Entry of the function. */
export const handler = adapterHandler(rdsDefinition, openRds);
