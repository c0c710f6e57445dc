import * as z from 'zod';
import { policyDocument } from '../property-types';
import { defineResource } from '../resource-handler';

/** AWS::SNS::TopicPolicy. */
export const topicPolicy = defineResource(
  { PolicyDocument: policyDocument, Topics: z.array(z.string()).min(1) },
  async ({ PolicyDocument, Topics }, { call, nameOr }) => {
    for (const arn of Topics)
      await call('sns', 'SetTopicAttributes', {
        TopicArn: arn,
        AttributeName: 'Policy',
        AttributeValue: JSON.stringify(PolicyDocument),
      });
    const id = nameOr(undefined, 128);
    return { physicalId: id, attributes: { Id: id } };
  },
);
