import * as z from 'zod';
import { ServiceError } from '../../kernel/service';
import { document, tags, text, whole } from '../property-types';
import { defineResource, present, textOf } from '../resource-handler';

const target = z.strictObject({
  Arn: z.string(),
  Id: z.string(),
  RoleArn: z.string().optional(),
  Input: z.string().optional(),
  InputPath: z.string().optional(),
  InputTransformer: z
    .strictObject({ InputPathsMap: z.record(z.string(), z.string()).optional(), InputTemplate: z.string() })
    .optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: whole.optional(),
      MaximumEventAgeInSeconds: whole.optional(),
    })
    .optional(),
  SqsParameters: z.strictObject({ MessageGroupId: z.string() }).optional(),
});

/** AWS::Events::Rule with its targets; a target that EventBridge does not take ends the deployment. */
export const eventRule = defineResource(
  {
    Name: z.string().optional(),
    Description: text.optional(),
    EventBusName: z.string().optional(),
    EventPattern: document.optional(),
    ScheduleExpression: z.string().optional(),
    State: z.string().optional(),
    RoleArn: z.string().optional(),
    Targets: z.array(target).optional(),
    Tags: tags,
  },
  async ({ Targets = [], EventPattern, ...settings }, { call, nameOr }) => {
    const name = nameOr(settings.Name, 64);
    const pattern = EventPattern === undefined ? undefined : JSON.stringify(EventPattern);
    const made = await call(
      'eventbridge',
      'PutRule',
      present({ ...settings, Name: name, EventPattern: pattern }),
    );
    if (Targets.length > 0) {
      const bus = settings.EventBusName;
      const put = await call(
        'eventbridge',
        'PutTargets',
        present({ Rule: name, EventBusName: bus, Targets: Targets.map(present) }),
      );
      refuseFailedEntries(put);
    }
    const bus = settings.EventBusName?.split('/').at(-1) ?? 'default';
    return {
      physicalId: bus === 'default' ? name : `${bus}|${name}`,
      attributes: { Arn: textOf(made, 'RuleArn') },
    };
  },
);

function refuseFailedEntries(answer: Readonly<Record<string, unknown>>): void {
  const failed = z
    .array(z.object({ TargetId: z.string(), ErrorCode: z.string(), ErrorMessage: z.string() }))
    .parse(answer['FailedEntries'] ?? []);
  const [first] = failed;
  if (first !== undefined)
    throw new ServiceError(first.ErrorCode, `target ${first.TargetId}: ${first.ErrorMessage}`);
}
