import * as z from 'zod';
import { flag, tags, text, whole } from '../property-types';
import { defineResource } from '../resource-handler';

/** AWS::CloudWatch::Alarm, recorded under its name only: there are no metrics that could set it off. */
export const alarm = defineResource(
  {
    AlarmName: z.string().optional(),
    AlarmDescription: text.optional(),
    ActionsEnabled: flag.optional(),
    AlarmActions: z.array(z.string()).optional(),
    OKActions: z.array(z.string()).optional(),
    InsufficientDataActions: z.array(z.string()).optional(),
    ComparisonOperator: z.string(),
    DatapointsToAlarm: whole.optional(),
    Dimensions: z.array(z.strictObject({ Name: z.string(), Value: text })).optional(),
    EvaluationPeriods: whole,
    MetricName: z.string().optional(),
    Namespace: z.string().optional(),
    Period: whole.optional(),
    Statistic: z.string().optional(),
    ExtendedStatistic: z.string().optional(),
    Threshold: z.number().optional(),
    TreatMissingData: z.string().optional(),
    Unit: z.string().optional(),
    Metrics: z.array(z.unknown()).optional(),
    Tags: tags,
  },
  async ({ AlarmName }, { account, region, partition, nameOr }) => {
    const name = nameOr(AlarmName, 255);
    const arn = `arn:${partition}:cloudwatch:${region}:${account}:alarm:${name}`;
    return { physicalId: name, attributes: { Arn: arn } };
  },
);
