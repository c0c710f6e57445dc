import * as z from 'zod';
import { document, flag, tagMap, tags, text, whole } from '../property-types';
import { attributeTexts, defineResource, present, textOf } from '../resource-handler';

/** AWS::SQS::Queue; Ref is its URL. */
export const queue = defineResource(
  {
    QueueName: z.string().optional(),
    VisibilityTimeout: whole.optional(),
    MessageRetentionPeriod: whole.optional(),
    DelaySeconds: whole.optional(),
    MaximumMessageSize: whole.optional(),
    ReceiveMessageWaitTimeSeconds: whole.optional(),
    KmsMasterKeyId: z.string().optional(),
    KmsDataKeyReusePeriodSeconds: whole.optional(),
    SqsManagedSseEnabled: flag.optional(),
    RedrivePolicy: document.optional(),
    RedriveAllowPolicy: document.optional(),
    FifoQueue: flag.optional(),
    ContentBasedDeduplication: flag.optional(),
    DeduplicationScope: text.optional(),
    FifoThroughputLimit: text.optional(),
    Tags: tags,
  },
  async ({ QueueName, Tags, ...settings }, { account, region, partition, call, nameOr }) => {
    const base = nameOr(QueueName, 75);
    const name = settings.FifoQueue === true && !base.endsWith('.fifo') ? `${base}.fifo` : base;
    const attributes = attributeTexts(settings);
    const made = await call(
      'sqs',
      'CreateQueue',
      present({ QueueName: name, Attributes: attributes, tags: tagMap(Tags) }),
    );
    const url = textOf(made, 'QueueUrl');
    const arn = `arn:${partition}:sqs:${region}:${account}:${name}`;
    return { physicalId: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
  },
);
