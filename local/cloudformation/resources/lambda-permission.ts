import * as z from 'zod';
import { text } from '../property-types';
import { defineResource, present } from '../resource-handler';

/** AWS::Lambda::Permission; the statement gets the name that CloudFormation would make. */
export const lambdaPermission = defineResource(
  {
    FunctionName: z.string(),
    Action: z.string(),
    Principal: z.string(),
    SourceArn: z.string().optional(),
    SourceAccount: text.optional(),
  },
  async (permission, { call, nameOr }) => {
    const statementId = nameOr(undefined, 100);
    await call('lambda', 'AddPermission', present({ ...permission, StatementId: statementId }));
    return { physicalId: statementId, attributes: { Id: statementId } };
  },
);
