import * as z from 'zod';
import { policyDocument } from '../property-types';
import { defineResource } from '../resource-handler';

/** AWS::IAM::Policy, an inline policy of roles; users and groups are refused. */
export const policy = defineResource(
  { PolicyName: z.string(), PolicyDocument: policyDocument, Roles: z.array(z.string()).min(1) },
  async ({ PolicyName, PolicyDocument, Roles }, { roles }) => {
    for (const name of Roles) roles.putPolicy(name, PolicyName, PolicyDocument);
    return { physicalId: PolicyName, attributes: { Id: PolicyName } };
  },
);
