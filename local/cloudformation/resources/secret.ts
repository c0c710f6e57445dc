import * as z from 'zod';
import { TemplateFault } from '../deployment-failed';
import { flag, tags, text, whole } from '../property-types';
import { defineResource, present, textOf, type ResourceContext } from '../resource-handler';
import { randomSuffix } from '../physical-name';

const generateShape = z.strictObject({
  ExcludeCharacters: z.string().optional(),
  ExcludeLowercase: flag.optional(),
  ExcludeNumbers: flag.optional(),
  ExcludePunctuation: flag.optional(),
  ExcludeUppercase: flag.optional(),
  IncludeSpace: flag.optional(),
  PasswordLength: whole.optional(),
  RequireEachIncludedType: flag.optional(),
  SecretStringTemplate: z.string().optional(),
  GenerateStringKey: z.string().optional(),
});

/** AWS::SecretsManager::Secret with a given, a generated or no value, and its replicas. */
export const secret = defineResource(
  {
    Name: z.string().optional(),
    Description: text.optional(),
    KmsKeyId: z.string().optional(),
    SecretString: z.string().optional(),
    GenerateSecretString: generateShape.optional(),
    ReplicaRegions: z
      .array(z.strictObject({ Region: z.string(), KmsKeyId: z.string().optional() }))
      .optional(),
    Tags: tags,
  },
  async ({ GenerateSecretString, ReplicaRegions, ...settings }, context) => {
    if (GenerateSecretString !== undefined && settings.SecretString !== undefined)
      throw new TemplateFault(
        'TemplateInvalid',
        'a secret has either SecretString or GenerateSecretString',
        'SecretString',
      );
    const value =
      GenerateSecretString === undefined
        ? settings.SecretString
        : await generate(GenerateSecretString, context);
    // The one name that CloudFormation makes without the stack's.
    const name = settings.Name ?? `${context.logicalId}-${randomSuffix()}`;
    const made = await context.call(
      'secretsmanager',
      'CreateSecret',
      present({
        ...settings,
        Name: name,
        SecretString: value,
        AddReplicaRegions: ReplicaRegions,
        ClientRequestToken: crypto.randomUUID(),
      }),
    );
    const arn = textOf(made, 'ARN');
    return { physicalId: arn, attributes: { Id: arn } };
  },
);

async function generate(wish: z.infer<typeof generateShape>, { call }: ResourceContext): Promise<string> {
  const { SecretStringTemplate, GenerateStringKey, ...characters } = wish;
  const answer = await call('secretsmanager', 'GetRandomPassword', present(characters));
  const password = textOf(answer, 'RandomPassword');
  if (SecretStringTemplate === undefined && GenerateStringKey === undefined) return password;
  if (SecretStringTemplate === undefined || GenerateStringKey === undefined)
    throw new TemplateFault(
      'TemplateInvalid',
      'SecretStringTemplate and GenerateStringKey come together',
      'GenerateSecretString',
    );
  const parsed = z.record(z.string(), z.unknown()).safeParse(readJson(SecretStringTemplate));
  if (!parsed.success)
    throw new TemplateFault(
      'TemplateInvalid',
      'is not a JSON object',
      'GenerateSecretString.SecretStringTemplate',
    );
  return JSON.stringify({ ...parsed.data, [GenerateStringKey]: password });
}

function readJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}
