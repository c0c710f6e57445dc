import { TemplateFault } from './deployment-failed';
import { textOf, type ResourceContext } from './resource-handler';
import type { Template, TemplateParameter } from './template';

/** What the embedded account answers to the CDK's question for its bootstrap version; it has what any version needs. */
const bootstrapVersion = '30';
const bootstrapPath = /^\/cdk-bootstrap\/[^/]+\/version$/;

/** The values of a template's parameters: what was given, else the default, looked up where the type says so. */
export async function parameterValues(
  template: Template,
  given: Readonly<Record<string, string>>,
  call: ResourceContext['call'],
): Promise<ReadonlyMap<string, unknown>> {
  const unknown = Object.keys(given).find((name) => template.Parameters?.[name] === undefined);
  if (unknown !== undefined)
    throw new TemplateFault('TemplateInvalid', `there is no parameter ${unknown}`, `Parameters.${unknown}`);
  const values = new Map<string, unknown>();
  for (const [name, parameter] of Object.entries(template.Parameters ?? {})) {
    const value = given[name] ?? parameter.Default;
    if (value === undefined)
      throw new TemplateFault('TemplateInvalid', `parameter ${name} has no value`, `Parameters.${name}`);
    check(name, parameter, value);
    values.set(name, await typed(name, parameter.Type, String(value), call));
  }
  return values;
}

function check(name: string, parameter: TemplateParameter, value: string | number): void {
  const refuse = (rule: string): never => {
    throw new TemplateFault('TemplateInvalid', `parameter ${name} breaks ${rule}`, `Parameters.${name}`);
  };
  const value_ = String(value);
  if (parameter.AllowedValues?.every((allowed) => String(allowed) !== value_) === true)
    refuse('AllowedValues');
  if (parameter.AllowedPattern !== undefined && !new RegExp(`^(?:${parameter.AllowedPattern})$`).test(value_))
    refuse('AllowedPattern');
  if (value_.length < (parameter.MinLength ?? 0)) refuse('MinLength');
  if (value_.length > (parameter.MaxLength ?? Infinity)) refuse('MaxLength');
  if (parameter.Type !== 'Number') return;
  if (Number.isNaN(Number(value_))) refuse('Type Number');
  if (Number(value_) < (parameter.MinValue ?? -Infinity)) refuse('MinValue');
  if (Number(value_) > (parameter.MaxValue ?? Infinity)) refuse('MaxValue');
}

async function typed(
  name: string,
  type: string,
  value: string,
  call: ResourceContext['call'],
): Promise<unknown> {
  switch (type) {
    case 'String':
    case 'Number':
    case 'AWS::SSM::Parameter::Name':
      return value;
    case 'CommaDelimitedList':
    case 'List<Number>':
      return value.split(',').map((part) => part.trim());
    case 'AWS::SSM::Parameter::Value<String>':
      return stored(value, call);
    case 'AWS::SSM::Parameter::Value<List<String>>':
    case 'AWS::SSM::Parameter::Value<CommaDelimitedList>':
      return (await stored(value, call)).split(',').map((part) => part.trim());
    default:
      throw new TemplateFault(
        'UnsupportedProperty',
        `the embedded cloud does not implement parameters of type ${type}`,
        `Parameters.${name}`,
      );
  }
}

async function stored(path: string, call: ResourceContext['call']): Promise<string> {
  if (bootstrapPath.test(path)) return bootstrapVersion;
  const answer = await call('ssm', 'GetParameter', { Name: path });
  const parameter = answer['Parameter'];
  return textOf(typeof parameter === 'object' && parameter !== null ? { ...parameter } : {}, 'Value');
}
