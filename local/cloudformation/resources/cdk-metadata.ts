import * as z from 'zod';
import { defineResource } from '../resource-handler';

/** AWS::CDK::Metadata, which makes nothing on AWS either. */
export const cdkMetadata = defineResource({ Analytics: z.string().optional() }, async (_, { logicalId }) => ({
  physicalId: logicalId,
  attributes: {},
}));
