import * as z from 'zod';
import { flag, policyDocument, tags, text, whole } from '../property-types';
import { defineResource, present } from '../resource-handler';

const metadata = z.object({ KeyMetadata: z.object({ KeyId: z.string(), Arn: z.string() }) });

/** AWS::KMS::Key, enabled; keys of other regions and of external origin are refused. */
export const kmsKey = defineResource(
  {
    KeyPolicy: policyDocument.optional(),
    Description: text.optional(),
    Enabled: z.literal(true).optional(),
    EnableKeyRotation: flag.optional(),
    RotationPeriodInDays: whole.optional(),
    KeySpec: z.string().optional(),
    KeyUsage: z.string().optional(),
    PendingWindowInDays: whole.optional(),
    Tags: tags,
  },
  async (properties, { call }) => {
    const answer = await call(
      'kms',
      'CreateKey',
      present({
        Description: properties.Description,
        KeySpec: properties.KeySpec,
        KeyUsage: properties.KeyUsage,
        Policy: properties.KeyPolicy && JSON.stringify(properties.KeyPolicy),
        Tags: properties.Tags?.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })),
      }),
    );
    const { KeyId, Arn } = metadata.parse(answer).KeyMetadata;
    if (properties.EnableKeyRotation === true)
      await call(
        'kms',
        'EnableKeyRotation',
        present({ KeyId, RotationPeriodInDays: properties.RotationPeriodInDays }),
      );
    return { physicalId: KeyId, attributes: { Arn, KeyId } };
  },
);
