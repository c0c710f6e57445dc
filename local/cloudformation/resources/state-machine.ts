import * as z from 'zod';
import { TemplateFault } from '../deployment-failed';
import { document, flag, tags, text } from '../property-types';
import { defineResource, present, textOf, type ResourceContext } from '../resource-handler';

/** AWS::StepFunctions::StateMachine from a text, an object or an asset, with its substitutions filled in. */
export const stateMachine = defineResource(
  {
    StateMachineName: z.string().optional(),
    StateMachineType: z.string().optional(),
    RoleArn: z.string(),
    DefinitionString: z.string().optional(),
    Definition: document.optional(),
    DefinitionS3Location: z.strictObject({ Bucket: z.string(), Key: z.string() }).optional(),
    DefinitionSubstitutions: z.record(z.string(), text).optional(),
    LoggingConfiguration: z
      .strictObject({
        Level: z.string().optional(),
        IncludeExecutionData: flag.optional(),
        Destinations: z
          .array(z.strictObject({ CloudWatchLogsLogGroup: z.strictObject({ LogGroupArn: z.string() }) }))
          .optional(),
      })
      .optional(),
    TracingConfiguration: z.strictObject({ Enabled: flag }).optional(),
    Tags: tags,
  },
  async (properties, context) => {
    const name = context.nameOr(properties.StateMachineName, 80);
    const { LoggingConfiguration: logging, TracingConfiguration: tracing } = properties;
    const made = await context.call(
      'sfn',
      'CreateStateMachine',
      present({
        name,
        definition: fill(definitionText(properties, context), properties.DefinitionSubstitutions ?? {}),
        roleArn: properties.RoleArn,
        type: properties.StateMachineType,
        loggingConfiguration:
          logging &&
          present({
            level: logging.Level,
            includeExecutionData: logging.IncludeExecutionData,
            destinations: logging.Destinations?.map(({ CloudWatchLogsLogGroup }) => ({
              cloudWatchLogsLogGroup: { logGroupArn: CloudWatchLogsLogGroup.LogGroupArn },
            })),
          }),
        tracingConfiguration: tracing && { enabled: tracing.Enabled },
        tags: properties.Tags?.map(({ Key, Value }) => ({ key: Key, value: Value })),
      }),
    );
    const arn = textOf(made, 'stateMachineArn');
    return { physicalId: arn, attributes: { Arn: arn, Name: name } };
  },
);

function definitionText(
  given: {
    readonly DefinitionString?: string | undefined;
    readonly Definition?: object | undefined;
    readonly DefinitionS3Location?: { readonly Bucket: string; readonly Key: string } | undefined;
  },
  context: ResourceContext,
): string {
  if (given.DefinitionString !== undefined) return given.DefinitionString;
  if (given.Definition !== undefined) return JSON.stringify(given.Definition);
  const { DefinitionS3Location: location } = given;
  if (location !== undefined) return context.readAsset(location.Bucket, location.Key);
  throw new TemplateFault('TemplateInvalid', 'a state machine needs a definition', 'DefinitionString');
}

/** A name without a value stays as it is: `${…}` is also text that a definition may hold for itself. */
function fill(definition: string, substitutions: Readonly<Record<string, string>>): string {
  return definition.replace(/\$\{([^}]*)\}/g, (whole, name: string) =>
    Object.hasOwn(substitutions, name) ? (substitutions[name] ?? whole) : whole,
  );
}
