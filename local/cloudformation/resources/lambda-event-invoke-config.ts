import * as z from 'zod';
import { whole } from '../property-types';
import { defineResource, present } from '../resource-handler';

/** AWS::Lambda::EventInvokeConfig, retries of asynchronous invocations; destinations are refused. */
export const lambdaEventInvokeConfig = defineResource(
  {
    FunctionName: z.string(),
    Qualifier: z.literal('$LATEST'),
    MaximumRetryAttempts: whole.optional(),
    MaximumEventAgeInSeconds: whole.optional(),
  },
  async ({ Qualifier, ...settings }, { call, logicalId }) => {
    await call('lambda', 'PutFunctionEventInvokeConfig', present(settings));
    return { physicalId: `${logicalId}-${Qualifier}`, attributes: {} };
  },
);
