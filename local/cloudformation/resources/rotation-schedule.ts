import * as z from 'zod';
import { flag, whole } from '../property-types';
import { defineResource, present } from '../resource-handler';

/** AWS::SecretsManager::RotationSchedule; AWS's hosted rotation functions are refused. */
export const rotationSchedule = defineResource(
  {
    SecretId: z.string(),
    RotationLambdaARN: z.string(),
    RotationRules: z
      .strictObject({
        AutomaticallyAfterDays: whole.optional(),
        Duration: z.string().optional(),
        ScheduleExpression: z.string().optional(),
      })
      .optional(),
    RotateImmediatelyOnUpdate: flag.optional(),
  },
  async ({ RotateImmediatelyOnUpdate, RotationRules, ...settings }, { call }) => {
    await call(
      'secretsmanager',
      'RotateSecret',
      present({
        ...settings,
        RotationRules: RotationRules && present(RotationRules),
        RotateImmediately: RotateImmediatelyOnUpdate ?? true,
        ClientRequestToken: crypto.randomUUID(),
      }),
    );
    return { physicalId: settings.SecretId, attributes: { Id: settings.SecretId } };
  },
);
