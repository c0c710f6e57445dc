import * as z from 'zod';
import { policyDocument, tags, text, whole } from '../property-types';
import { defineResource } from '../resource-handler';
import { randomSuffix } from '../physical-name';

/** AWS::IAM::Role; permission boundaries are refused. */
export const role = defineResource(
  {
    RoleName: z.string().optional(),
    Path: z.string().optional(),
    Description: text.optional(),
    AssumeRolePolicyDocument: policyDocument,
    ManagedPolicyArns: z.array(z.string()).optional(),
    Policies: z.array(z.strictObject({ PolicyName: z.string(), PolicyDocument: policyDocument })).optional(),
    MaxSessionDuration: whole.optional(),
    Tags: tags,
  },
  async (properties, { roles, nameOr }) => {
    const name = nameOr(properties.RoleName, 64);
    const policies = properties.Policies?.map(
      (policy) => [policy.PolicyName, policy.PolicyDocument] as const,
    );
    const arn = roles.put({
      name,
      trustPolicy: properties.AssumeRolePolicyDocument,
      managedPolicyArns: properties.ManagedPolicyArns ?? [],
      policies: Object.fromEntries(policies ?? []),
      ...(properties.Path === undefined ? {} : { path: properties.Path }),
    });
    return { physicalId: name, attributes: { Arn: arn, RoleId: `AROA${randomSuffix()}` } };
  },
);
