import { adapterHandler } from '../handler';
import { openLambda } from './adapter';
import { lambdaDefinition } from './definition';

/** Entry of the function that acts for a Lambda function. */
export const handler = adapterHandler(lambdaDefinition, openLambda);
