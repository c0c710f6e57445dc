import { TemplateFault } from './deployment-failed';
import type { Template } from './template';

/** What a created resource answers to Ref and Fn::GetAtt. */
export interface Created {
  readonly physicalId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Marks a property that is to be left out: what AWS::NoValue stands for. */
export const noValue = Symbol('AWS::NoValue');

/** What names mean while one stack is deployed. */
export interface Scope {
  readonly template: Template;
  readonly pseudoParameters: Readonly<Record<string, unknown>>;
  readonly parameters: ReadonlyMap<string, unknown>;
  /** Resources made so far; what depends on one comes after it. */
  readonly created: ReadonlyMap<string, Created>;
  /** Values that stacks export, by name. */
  readonly exports: ReadonlyMap<string, unknown>;
}

/** What `{"Ref": name}` stands for. */
export function refer(scope: Scope, name: string): unknown {
  if (name === 'AWS::NoValue') return noValue;
  if (name in scope.pseudoParameters) return scope.pseudoParameters[name];
  if (scope.parameters.has(name)) return scope.parameters.get(name);
  const resource = scope.created.get(name);
  if (resource !== undefined) return resource.physicalId;
  throw new TemplateFault('TemplateInvalid', `Ref names ${name}, which is no parameter or resource here`);
}

/** What `{"Fn::GetAtt": [logicalId, attribute]}` stands for. */
export function attributeOf(scope: Scope, logicalId: string, attribute: string): unknown {
  const resource = scope.created.get(logicalId);
  if (resource === undefined)
    throw new TemplateFault('TemplateInvalid', `Fn::GetAtt names ${logicalId}, which is no resource here`);
  const value = resource.attributes[attribute];
  if (value === undefined)
    throw new TemplateFault(
      'UnsupportedFunction',
      `Fn::GetAtt asks ${logicalId} for ${attribute}, which the embedded cloud does not know`,
    );
  return value;
}
