import * as z from 'zod';
import { defineResource } from '../resource-handler';

/** AWS::KMS::Alias. */
export const kmsAlias = defineResource(
  { AliasName: z.string(), TargetKeyId: z.string() },
  async ({ AliasName, TargetKeyId }, { call }) => {
    await call('kms', 'CreateAlias', { AliasName, TargetKeyId });
    return { physicalId: AliasName, attributes: { AliasName } };
  },
);
