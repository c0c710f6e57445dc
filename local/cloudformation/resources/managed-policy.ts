import * as z from 'zod';
import { policyDocument, text } from '../property-types';
import { defineResource } from '../resource-handler';

/** AWS::IAM::ManagedPolicy, attached to roles; users and groups are refused. */
export const managedPolicy = defineResource(
  {
    ManagedPolicyName: z.string().optional(),
    Description: text.optional(),
    Path: z.string().optional(),
    PolicyDocument: policyDocument,
    Roles: z.array(z.string()).optional(),
  },
  async (properties, { roles, nameOr }) => {
    const name = nameOr(properties.ManagedPolicyName, 128);
    const arn = roles.putManagedPolicy(name, properties.PolicyDocument, properties.Path);
    for (const role of properties.Roles ?? []) roles.attachManagedPolicy(role, arn);
    return { physicalId: arn, attributes: { PolicyArn: arn } };
  },
);
