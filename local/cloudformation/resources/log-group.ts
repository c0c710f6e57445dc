import * as z from 'zod';
import { tagMap, tags, whole } from '../property-types';
import { defineResource, present } from '../resource-handler';

/** AWS::Logs::LogGroup; its Arn ends with `:*`, as CloudFormation gives it. */
export const logGroup = defineResource(
  {
    LogGroupName: z.string().optional(),
    RetentionInDays: whole.optional(),
    KmsKeyId: z.string().optional(),
    LogGroupClass: z.literal('STANDARD').optional(),
    Tags: tags,
  },
  async (properties, { account, region, partition, call, nameOr }) => {
    const name = nameOr(properties.LogGroupName, 512);
    const input = { logGroupName: name, kmsKeyId: properties.KmsKeyId, tags: tagMap(properties.Tags) };
    await call('logs', 'CreateLogGroup', present(input));
    if (properties.RetentionInDays !== undefined)
      await call('logs', 'PutRetentionPolicy', {
        logGroupName: name,
        retentionInDays: properties.RetentionInDays,
      });
    const arn = `arn:${partition}:logs:${region}:${account}:log-group:${name}:*`;
    return { physicalId: name, attributes: { Arn: arn } };
  },
);
