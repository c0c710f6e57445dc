import * as z from 'zod';
import { text } from '../property-types';
import { defineResource, present } from '../resource-handler';

/** AWS::SSM::Parameter; as on AWS, a template cannot make a SecureString. */
export const parameter = defineResource(
  {
    Name: z.string().optional(),
    Type: z.enum(['String', 'StringList']),
    Value: text,
    Description: text.optional(),
    Tier: z.string().optional(),
    AllowedPattern: z.string().optional(),
    DataType: z.string().optional(),
    Tags: z.record(z.string(), text).optional(),
  },
  async ({ Tags, ...settings }, { call, nameOr }) => {
    const name = nameOr(settings.Name, 1011);
    const tags = Tags && Object.entries(Tags).map(([Key, Value]) => ({ Key, Value }));
    await call('ssm', 'PutParameter', present({ ...settings, Name: name, Tags: tags }));
    return { physicalId: name, attributes: { Type: settings.Type, Value: settings.Value } };
  },
);
