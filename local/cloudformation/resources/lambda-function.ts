import * as z from 'zod';
import { flag, tagMap, tags, text, whole } from '../property-types';
import { defineResource, present, textOf } from '../resource-handler';

/** AWS::Lambda::Function from an asset; layers, images, inline code and file systems are refused. */
export const lambdaFunction = defineResource(
  {
    FunctionName: z.string().optional(),
    Code: z.strictObject({ S3Bucket: z.string(), S3Key: z.string() }),
    Runtime: z.string(),
    Handler: z.string(),
    Role: z.string(),
    Description: text.optional(),
    Timeout: whole.optional(),
    MemorySize: whole.optional(),
    Environment: z.strictObject({ Variables: z.record(z.string(), text).optional() }).optional(),
    Architectures: z.array(z.string()).optional(),
    TracingConfig: z.strictObject({ Mode: z.string() }).optional(),
    DeadLetterConfig: z.strictObject({ TargetArn: z.string().optional() }).optional(),
    VpcConfig: z
      .strictObject({
        SubnetIds: z.array(z.string()).optional(),
        SecurityGroupIds: z.array(z.string()).optional(),
        Ipv6AllowedForDualStack: flag.optional(),
      })
      .optional(),
    LoggingConfig: z
      .strictObject({
        LogFormat: z.string().optional(),
        LogGroup: z.string().optional(),
        ApplicationLogLevel: z.string().optional(),
        SystemLogLevel: z.string().optional(),
      })
      .optional(),
    EphemeralStorage: z.strictObject({ Size: whole }).optional(),
    KmsKeyArn: z.string().optional(),
    PackageType: z.string().optional(),
    ReservedConcurrentExecutions: whole.optional(),
    Tags: tags,
  },
  async ({ ReservedConcurrentExecutions, Tags, KmsKeyArn, ...settings }, { call, nameOr }) => {
    const name = nameOr(settings.FunctionName, 64);
    const input = { ...settings, FunctionName: name, KMSKeyArn: KmsKeyArn, Tags: tagMap(Tags) };
    const made = await call('lambda', 'CreateFunction', present(input));
    if (ReservedConcurrentExecutions !== undefined)
      await call('lambda', 'PutFunctionConcurrency', { FunctionName: name, ReservedConcurrentExecutions });
    return { physicalId: name, attributes: { Arn: textOf(made, 'FunctionArn') } };
  },
);
