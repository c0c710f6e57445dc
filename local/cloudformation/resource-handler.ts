import * as z from 'zod';
import { TemplateFault } from './deployment-failed';
import type { Created } from './scope';

/** Where roles and policies are kept; IAM has no service of its own here. */
export interface RolePort {
  put(role: {
    readonly name: string;
    readonly path?: string;
    readonly trustPolicy: object;
    readonly policies?: Readonly<Record<string, object>>;
    readonly managedPolicyArns?: readonly string[];
  }): string;
  putPolicy(role: string, policyName: string, document: object): void;
  putManagedPolicy(name: string, document: object, path?: string): string;
  attachManagedPolicy(role: string, policyArn: string): void;
}

/** What a handler may know and do while it makes one resource. */
export interface ResourceContext {
  readonly account: string;
  readonly region: string;
  readonly partition: string;
  readonly stackName: string;
  readonly logicalId: string;
  readonly roles: RolePort;
  /** Text of an asset that was uploaded, such as a state machine's definition. */
  readonly readAsset: (bucket: string, key: string) => string;
  /** The name that the template gives, or one as CloudFormation makes it. */
  readonly nameOr: (given: string | undefined, longest: number) => string;
  /** Calls a service's operation as the account's operator. */
  readonly call: (
    service: string,
    operation: string,
    input: Readonly<Record<string, unknown>>,
  ) => Promise<Readonly<Record<string, unknown>>>;
}

/** Makes resources of one type. */
export interface ResourceHandler {
  /** Checks the resolved properties and creates the resource; a property it does not know is refused by name. */
  create(properties: Readonly<Record<string, unknown>>, context: ResourceContext): Promise<Created>;
}

/** Makes a handler of the properties it knows and of what it does with them. */
export function defineResource<Shape extends z.ZodRawShape>(
  shape: Shape,
  create: (
    properties: z.infer<z.ZodObject<Shape, z.core.$strict>>,
    context: ResourceContext,
  ) => Promise<Created>,
): ResourceHandler {
  const schema = z.strictObject(shape);
  return {
    create: async (properties, context) => {
      const parsed = schema.safeParse(properties);
      if (!parsed.success) throw faultOf(parsed.error);
      return create(parsed.data, context);
    },
  };
}

function faultOf(error: z.ZodError): TemplateFault {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const property = [...path, issue.keys[0] ?? ''].join('.');
    return new TemplateFault('UnsupportedProperty', 'the embedded cloud does not implement it', property);
  }
  return new TemplateFault('TemplateInvalid', issue?.message ?? 'is not valid', path.join('.'));
}

/** A member of an operation's answer that has to be text. */
export function textOf(answer: Readonly<Record<string, unknown>>, member: string): string {
  const value = answer[member];
  if (typeof value !== 'string') throw new TypeError(`the answer has no ${member}`);
  return value;
}

/** The given members without those that are undefined. */
export function present(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Settings as the attribute maps of SQS and SNS take them: everything as text, documents as JSON. */
export function attributeTexts(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(present(settings)).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
