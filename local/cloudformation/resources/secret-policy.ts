import * as z from 'zod';
import { flag, policyDocument } from '../property-types';
import { defineResource, present } from '../resource-handler';

/** AWS::SecretsManager::ResourcePolicy. */
export const secretPolicy = defineResource(
  { SecretId: z.string(), ResourcePolicy: policyDocument, BlockPublicPolicy: flag.optional() },
  async ({ SecretId, ResourcePolicy, BlockPublicPolicy }, { call }) => {
    await call(
      'secretsmanager',
      'PutResourcePolicy',
      present({ SecretId, ResourcePolicy: JSON.stringify(ResourcePolicy), BlockPublicPolicy }),
    );
    return { physicalId: SecretId, attributes: { Id: SecretId } };
  },
);
