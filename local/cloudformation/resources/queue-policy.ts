import * as z from 'zod';
import { policyDocument } from '../property-types';
import { defineResource } from '../resource-handler';

/** AWS::SQS::QueuePolicy. */
export const queuePolicy = defineResource(
  { PolicyDocument: policyDocument, Queues: z.array(z.string()).min(1) },
  async ({ PolicyDocument, Queues }, { call, nameOr }) => {
    for (const url of Queues)
      await call('sqs', 'SetQueueAttributes', {
        QueueUrl: url,
        Attributes: { Policy: JSON.stringify(PolicyDocument) },
      });
    const id = nameOr(undefined, 128);
    return { physicalId: id, attributes: { Id: id } };
  },
);
