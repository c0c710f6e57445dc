import * as z from 'zod';
import { tags, text } from '../property-types';
import { defineResource, present, textOf } from '../resource-handler';

/** AWS::Events::EventBus; partner event sources and logging are refused. */
export const eventBus = defineResource(
  {
    Name: z.string(),
    Description: text.optional(),
    KmsKeyIdentifier: z.string().optional(),
    DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
    Tags: tags,
  },
  async (properties, { call }) => {
    const made = await call('eventbridge', 'CreateEventBus', present(properties));
    const arn = textOf(made, 'EventBusArn');
    return { physicalId: properties.Name, attributes: { Arn: arn, Name: properties.Name } };
  },
);
