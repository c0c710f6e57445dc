import * as z from 'zod';
import { document, flag } from '../property-types';
import { attributeTexts, defineResource, textOf } from '../resource-handler';

/** AWS::SNS::Subscription; delivery policies, replays and other regions are refused. */
export const subscription = defineResource(
  {
    TopicArn: z.string(),
    Protocol: z.string(),
    Endpoint: z.string(),
    FilterPolicy: document.optional(),
    FilterPolicyScope: z.string().optional(),
    RawMessageDelivery: flag.optional(),
    RedrivePolicy: document.optional(),
  },
  async ({ TopicArn, Protocol, Endpoint, ...settings }, { call }) => {
    const attributes = attributeTexts(settings);
    const made = await call('sns', 'Subscribe', {
      TopicArn,
      Protocol,
      Endpoint,
      ReturnSubscriptionArn: true,
      ...(Object.keys(attributes).length === 0 ? {} : { Attributes: attributes }),
    });
    const arn = textOf(made, 'SubscriptionArn');
    return { physicalId: arn, attributes: { Arn: arn } };
  },
);
