import * as z from 'zod';
import { pageOf } from '../secrets-manager/pages';
import { parseInput } from '../kernel/shape';
import { ServiceError, type Call, type Operation, type Service, type Surroundings } from '../kernel/service';
import { createChangeCalendars } from './change-calendars';
import {
  assertParameterName,
  assertParameterPath,
  parseReference,
  type ParameterReference,
} from './parameter-name';

interface ParameterVersion {
  readonly version: number;
  readonly value: string;
  readonly description: string | undefined;
  readonly modifiedAt: number;
  readonly modifiedBy: string;
}

interface Parameter {
  readonly name: string;
  readonly versions: ParameterVersion[];
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
}

/** AWS's limit for the standard tier, in characters. */
const maxValue = 4096;

const putShape = z.object({
  Name: z.string().min(1).max(2048),
  Value: z.string().min(1),
  Type: z.optional(z.string()),
  Description: z.optional(z.string().max(1024)),
  Overwrite: z.optional(z.boolean()),
  DataType: z.optional(z.literal('text')),
  Tier: z.optional(z.literal('Standard')),
  Tags: z.optional(z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) }))),
});
const getShape = z.object({ Name: z.string(), WithDecryption: z.optional(z.boolean()) });
const getManyShape = z.object({
  Names: z.array(z.string()).min(1).max(10),
  WithDecryption: z.optional(z.boolean()),
});
const byPathShape = z.object({
  Path: z.string(),
  Recursive: z.optional(z.boolean()),
  MaxResults: z.optional(z.int().min(1).max(10)),
  NextToken: z.optional(z.string()),
  WithDecryption: z.optional(z.boolean()),
});
const describeShape = z.object({
  MaxResults: z.optional(z.int().min(1).max(50)),
  NextToken: z.optional(z.string()),
});

/** The embedded Parameter Store: String parameters of the standard tier. */
export function createParameterStore(surroundings: Surroundings): Service {
  const { account, authorize, clock, partition, region } = surroundings;
  const parameters = new Map<string, Parameter>();

  const arnOf = (name: string) =>
    `arn:${partition}:ssm:${region}:${account}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
  const allow = (
    call: Call,
    action: string,
    name: string,
    conditions: Readonly<Record<string, string>> = {},
  ) => {
    const all: Record<string, string> = { ...conditions };
    for (const { Key, Value } of parameters.get(name)?.tags ?? [])
      all[`aws:ResourceTag/${Key}`] = all[`ssm:ResourceTag/${Key}`] = Value;
    authorize(call, { action: `ssm:${action}`, resource: arnOf(name), conditions: all });
  };
  const describe = (parameter: Parameter, { version, selector }: Omit<ParameterReference, 'name'>) => {
    const found =
      version === undefined
        ? parameter.versions.at(-1)
        : parameter.versions.find((candidate) => candidate.version === version);
    if (found === undefined)
      throw new ServiceError(
        'ParameterVersionNotFound',
        `Systems Manager could not find version ${selector?.slice(1) ?? ''} of ${parameter.name}. Verify the version and try again.`,
      );
    return {
      Name: parameter.name,
      Type: 'String',
      Value: found.value,
      Version: found.version,
      ...(selector === undefined ? {} : { Selector: selector }),
      LastModifiedDate: new Date(found.modifiedAt),
      ARN: arnOf(parameter.name),
      DataType: 'text',
    };
  };
  const latest = { version: undefined, selector: undefined };
  const sorted = () => [...parameters.values()].sort((a, b) => (a.name < b.name ? -1 : 1));

  const putParameter: Operation = async (input, call) => {
    const request = parseInput('PutParameter', putShape, input);
    const { Name: name } = request;
    allow(call, 'PutParameter', name, {
      'ssm:Overwrite': String(request.Overwrite === true),
      ...Object.fromEntries((request.Tags ?? []).map((tag) => [`aws:RequestTag/${tag.Key}`, tag.Value])),
    });
    assertParameterName(name);
    const existing = parameters.get(name);
    assertType(request.Type, existing !== undefined);
    if (request.Value.length > maxValue)
      throw new ServiceError(
        'ValidationException',
        'Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html',
      );
    if (existing !== undefined && request.Overwrite !== true)
      throw new ServiceError(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    if (request.Overwrite === true && request.Tags !== undefined)
      throw new ServiceError(
        'ValidationException',
        "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
      );
    const parameter = existing ?? { name, versions: [], tags: request.Tags ?? [] };
    const version = (parameter.versions.at(-1)?.version ?? 0) + 1;
    parameter.versions.push({
      version,
      value: request.Value,
      description: request.Description,
      modifiedAt: clock.now(),
      modifiedBy: call.principal.kind === 'service' ? call.principal.service : call.principal.arn,
    });
    parameters.set(name, parameter);
    return { Version: version, Tier: 'Standard' };
  };

  const getParameter: Operation = async (input, call) => {
    const request = parseInput('GetParameter', getShape, input);
    const reference = parseReference(request.Name);
    allow(call, 'GetParameter', reference.name);
    const parameter = parameters.get(reference.name);
    // AWS sends this error without a message.
    if (parameter === undefined) throw new ServiceError('ParameterNotFound', '');
    return { Parameter: describe(parameter, reference) };
  };

  const getParameters: Operation = async (input, call) => {
    const request = parseInput('GetParameters', getManyShape, input);
    const found: object[] = [];
    const invalid: string[] = [];
    const references = [...new Set(request.Names)].map((text) => ({ text, ...parseReference(text) }));
    for (const { name } of references) allow(call, 'GetParameters', name);
    for (const reference of references) {
      const parameter = parameters.get(reference.name);
      const hasVersion =
        reference.version === undefined ||
        parameter?.versions.some((candidate) => candidate.version === reference.version) === true;
      if (parameter === undefined || !hasVersion) invalid.push(reference.text);
      else found.push(describe(parameter, reference));
    }
    return { Parameters: found, InvalidParameters: invalid };
  };

  const getParametersByPath: Operation = async (input, call) => {
    const request = parseInput('GetParametersByPath', byPathShape, input);
    const recursive = request.Recursive === true;
    allow(call, 'GetParametersByPath', request.Path, { 'ssm:Recursive': String(recursive) });
    assertParameterPath(request.Path);
    const prefix = request.Path.endsWith('/') ? request.Path : `${request.Path}/`;
    const below = sorted().filter(({ name }) => {
      const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
      return rest !== '' && (recursive || !rest.includes('/'));
    });
    const page = pageOf(below, request.MaxResults ?? 10, request.NextToken, 'InvalidNextToken');
    return {
      Parameters: page.items.map((parameter) => describe(parameter, latest)),
      ...(page.next === undefined ? {} : { NextToken: page.next }),
    };
  };

  const deleteParameter: Operation = async (input, call) => {
    const request = parseInput('DeleteParameter', z.object({ Name: z.string() }), input);
    allow(call, 'DeleteParameter', request.Name);
    if (!parameters.delete(request.Name)) throw new ServiceError('ParameterNotFound', '');
    return {};
  };

  const describeParameters: Operation = async (input, call) => {
    const request = parseInput('DescribeParameters', describeShape, input);
    const resource = `arn:${partition}:ssm:${region}:${account}:*`;
    authorize(call, { action: 'ssm:DescribeParameters', resource });
    const page = pageOf(sorted(), request.MaxResults ?? 50, request.NextToken, 'InvalidNextToken');
    return {
      Parameters: page.items.map((parameter) => {
        const { Value: _value, ...known } = describe(parameter, latest);
        const newest = parameter.versions.at(-1);
        return {
          ...known,
          LastModifiedUser: newest?.modifiedBy,
          ...(newest?.description === undefined ? {} : { Description: newest.description }),
          Tier: 'Standard',
          Policies: [],
        };
      }),
      ...(page.next === undefined ? {} : { NextToken: page.next }),
    };
  };

  return {
    id: 'ssm',
    operations: {
      PutParameter: putParameter,
      GetParameter: getParameter,
      GetParameters: getParameters,
      GetParametersByPath: getParametersByPath,
      DeleteParameter: deleteParameter,
      DescribeParameters: describeParameters,
      ...createChangeCalendars(surroundings),
    },
  };
}

function assertType(type: string | undefined, exists: boolean): void {
  if (type === undefined && !exists)
    throw new ServiceError(
      'ValidationException',
      'A parameter type is required when you create a parameter.',
    );
  if (type !== undefined && type !== 'String')
    throw new ServiceError(
      'UnsupportedParameter',
      `The embedded cloud does not implement PutParameter with Type ${type}.`,
    );
}
