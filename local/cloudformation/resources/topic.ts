import * as z from 'zod';
import { flag, tags, text } from '../property-types';
import { attributeTexts, defineResource, present, textOf } from '../resource-handler';

/** AWS::SNS::Topic; delivery logging, archives and data protection are refused. */
export const topic = defineResource(
  {
    TopicName: z.string().optional(),
    DisplayName: text.optional(),
    KmsMasterKeyId: z.string().optional(),
    FifoTopic: flag.optional(),
    ContentBasedDeduplication: flag.optional(),
    SignatureVersion: text.optional(),
    TracingConfig: z.string().optional(),
    Subscription: z.array(z.strictObject({ Protocol: z.string(), Endpoint: z.string() })).optional(),
    Tags: tags,
  },
  async ({ TopicName, Subscription = [], Tags, ...settings }, { call, nameOr }) => {
    const base = nameOr(TopicName, 251);
    const name = settings.FifoTopic === true && !base.endsWith('.fifo') ? `${base}.fifo` : base;
    const attributes = attributeTexts(settings);
    const made = await call('sns', 'CreateTopic', present({ Name: name, Attributes: attributes, Tags }));
    const arn = textOf(made, 'TopicArn');
    for (const subscription of Subscription)
      await call('sns', 'Subscribe', { ...subscription, TopicArn: arn, ReturnSubscriptionArn: true });
    return { physicalId: arn, attributes: { TopicArn: arn, TopicName: name } };
  },
);
