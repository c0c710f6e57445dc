import * as z from 'zod';

const values = z.record(z.string(), z.unknown());

const resource = z.strictObject({
  Type: z.string(),
  Properties: values.optional(),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  Condition: z.string().optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  Metadata: values.optional(),
});

const parameter = z.strictObject({
  Type: z.string(),
  Default: z.union([z.string(), z.number()]).optional(),
  Description: z.string().optional(),
  NoEcho: z.union([z.boolean(), z.string()]).optional(),
  AllowedValues: z.array(z.union([z.string(), z.number()])).optional(),
  AllowedPattern: z.string().optional(),
  ConstraintDescription: z.string().optional(),
  MinLength: z.number().optional(),
  MaxLength: z.number().optional(),
  MinValue: z.number().optional(),
  MaxValue: z.number().optional(),
});

const output = z.strictObject({
  Value: z.unknown(),
  Description: z.string().optional(),
  Condition: z.string().optional(),
  Export: z.strictObject({ Name: z.unknown() }).optional(),
});

/** The sections of a template that are deployed; Transform, Hooks and further rules are refused by name. */
const template = z.strictObject({
  AWSTemplateFormatVersion: z.string().optional(),
  Description: z.string().optional(),
  Metadata: values.optional(),
  Parameters: z.record(z.string(), parameter).optional(),
  Mappings: z.record(z.string(), z.record(z.string(), values)).optional(),
  Conditions: values.optional(),
  // The CDK's own check that the account is bootstrapped, which the embedded one always is.
  Rules: z.strictObject({ CheckBootstrapVersion: z.unknown().optional() }).optional(),
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), output).optional(),
});

/** A CloudFormation template, its properties still unresolved. */
export type Template = z.infer<typeof template>;
/** One entry of Resources. */
export type TemplateResource = z.infer<typeof resource>;
/** One entry of Parameters. */
export type TemplateParameter = z.infer<typeof parameter>;

/** Checks a template's outline; throws a `ZodError` whose first issue names what is not implemented. */
export function parseTemplate(source: unknown): Template {
  return template.parse(source);
}
