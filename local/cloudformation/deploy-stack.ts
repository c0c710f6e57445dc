import * as z from 'zod';
import { ServiceError, type Principal, type Surroundings } from '../kernel/service';
import type { AssetStore } from './assets';
import { DeploymentFailed, TemplateFault } from './deployment-failed';
import { resolveDynamic } from './dynamic-references';
import { conditionHolds, resolve } from './intrinsics';
import { creationOrder } from './order';
import { parameterValues } from './parameters';
import { physicalName } from './physical-name';
import type { ResourceContext, RolePort } from './resource-handler';
import { handlerOf } from './resource-table';
import type { Created, Scope } from './scope';
import { parseTemplate, type Template } from './template';

/** A deployed resource. */
export interface DeployedResource extends Created {
  readonly type: string;
}

/** A deployed stack: what each logical id became, and its outputs. */
export interface DeployedStack {
  readonly name: string;
  readonly stackId: string;
  readonly resources: Readonly<Record<string, DeployedResource>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** What a deployment needs of the embedded cloud. */
export interface DeploymentPorts {
  readonly surroundings: Surroundings;
  readonly operator: Principal;
  readonly roles: RolePort;
  readonly assets: AssetStore;
  /**
   * Told after each resource, and waited for: so a secret can get its real value before a schedule that depends on
   * it tests that value.
   */
  readonly observe?: (stack: string, logicalId: string, resource: DeployedResource) => void | Promise<void>;
}

/**
 * Deploys one stack, resource after resource, through the services' own operations.
 *
 * `exports` holds what earlier stacks export and gets what this one exports. Nothing is rolled back: a
 * `DeploymentFailed` says which resource was refused, and those before it stay.
 */
export async function deployStack(
  ports: DeploymentPorts,
  stack: {
    readonly name: string;
    readonly template: unknown;
    readonly parameters?: Readonly<Record<string, string>>;
  },
  exports: Map<string, unknown>,
): Promise<DeployedStack> {
  const template = locate(stack.name, () => parseTemplate(stack.template));
  const call: ResourceContext['call'] = async (service, operation, input) => {
    const answer = await ports.surroundings.callService(service, operation, input, {
      principal: ports.operator,
      userAgent: 'cloudformation.amazonaws.com',
    });
    return { ...answer };
  };
  const { account, region, partition } = ports.surroundings;
  const stackId = `arn:${partition}:cloudformation:${region}:${account}:stack/${stack.name}/${crypto.randomUUID()}`;
  const created = new Map<string, DeployedResource>();
  const scope: Scope = {
    template,
    created,
    exports,
    parameters: await parameterValues(template, stack.parameters ?? {}, call).catch((cause: unknown) => {
      throw located(cause, { stack: stack.name });
    }),
    pseudoParameters: {
      'AWS::AccountId': account,
      'AWS::Region': region,
      'AWS::Partition': partition,
      'AWS::StackName': stack.name,
      'AWS::StackId': stackId,
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::NotificationARNs': [],
    },
  };
  refuseUnsupportedTypes(stack.name, template, scope);
  for (const id of locate(stack.name, () => creationOrder(template.Resources)))
    await createResource(ports, scope, stack.name, id, created, call);
  return {
    name: stack.name,
    stackId,
    resources: Object.fromEntries(created),
    outputs: locate(stack.name, () => publishOutputs(template, scope, exports)),
  };
}

/** Before anything is made, so that a template which cannot be deployed leaves nothing behind. */
function refuseUnsupportedTypes(stack: string, template: Template, scope: Scope): void {
  for (const [logicalId, { Type, Condition }] of Object.entries(template.Resources)) {
    if (handlerOf(Type) !== undefined) continue;
    if (Condition !== undefined && !locate(stack, () => conditionHolds(Condition, scope))) continue;
    throw new DeploymentFailed('UnsupportedResourceType', `the embedded cloud does not implement ${Type}`, {
      stack,
      logicalId,
      resourceType: Type,
    });
  }
}

async function createResource(
  ports: DeploymentPorts,
  scope: Scope,
  stack: string,
  logicalId: string,
  created: Map<string, DeployedResource>,
  call: ResourceContext['call'],
): Promise<void> {
  const resource = scope.template.Resources[logicalId];
  const handler = resource && handlerOf(resource.Type);
  if (resource === undefined || handler === undefined) return;
  const { account, region, partition } = ports.surroundings;
  try {
    if (resource.Condition !== undefined && !conditionHolds(resource.Condition, scope)) return;
    const properties: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(resource.Properties ?? {}))
      Object.assign(properties, await resolveProperty(name, value, scope, call));
    const made = await handler.create(properties, {
      account,
      region,
      partition,
      stackName: stack,
      logicalId,
      roles: ports.roles,
      readAsset: (bucket, key) => ports.assets.read(bucket, key),
      nameOr: (given, longest) => given ?? physicalName(stack, logicalId, longest),
      call,
    });
    const deployed = { ...made, type: resource.Type };
    created.set(logicalId, deployed);
    await ports.observe?.(stack, logicalId, deployed);
  } catch (cause) {
    throw located(cause, { stack, logicalId, resourceType: resource.Type });
  }
}

/** The property by its name, resolved; nothing when it stands for AWS::NoValue. */
async function resolveProperty(
  name: string,
  value: unknown,
  scope: Scope,
  call: ResourceContext['call'],
): Promise<object> {
  try {
    const [resolved] = Object.values(resolve({ [name]: value }, scope) as Record<string, unknown>);
    return resolved === undefined ? {} : { [name]: await resolveDynamic(resolved, call) };
  } catch (cause) {
    if (cause instanceof TemplateFault && cause.property === undefined)
      throw new TemplateFault(cause.code, cause.message, name);
    throw cause;
  }
}

function publishOutputs(
  template: Template,
  scope: Scope,
  exports: Map<string, unknown>,
): Readonly<Record<string, string>> {
  const outputs: Record<string, string> = {};
  for (const [name, output] of Object.entries(template.Outputs ?? {})) {
    if (output.Condition !== undefined && !conditionHolds(output.Condition, scope)) continue;
    const value = resolve(output.Value, scope);
    outputs[name] = typeof value === 'string' ? value : JSON.stringify(value);
    if (output.Export === undefined) continue;
    const exported = String(resolve(output.Export.Name, scope));
    if (exports.has(exported))
      throw new TemplateFault(
        'TemplateInvalid',
        `another stack exports ${exported} already`,
        `Outputs.${name}`,
      );
    exports.set(exported, value);
  }
  return outputs;
}

function locate<Result>(stack: string, run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    throw located(cause, { stack });
  }
}

function located(
  cause: unknown,
  place: { readonly stack: string; readonly logicalId?: string; readonly resourceType?: string },
): DeploymentFailed {
  if (cause instanceof DeploymentFailed) return cause;
  if (cause instanceof TemplateFault)
    return new DeploymentFailed(cause.code, cause.message, { ...place, property: cause.property }, { cause });
  if (cause instanceof ServiceError) return new DeploymentFailed(cause.code, cause.message, place, { cause });
  if (cause instanceof z.ZodError) {
    const issue = cause.issues[0];
    const path = (issue?.path ?? []).map(String);
    const keys = issue?.code === 'unrecognized_keys' ? issue.keys : [];
    return new DeploymentFailed(
      keys.length > 0 ? 'UnsupportedProperty' : 'TemplateInvalid',
      keys.length > 0 ? 'the embedded cloud does not implement it' : (issue?.message ?? 'is not valid'),
      { ...place, property: [...path, ...keys.slice(0, 1)].join('.') },
      { cause },
    );
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  return new DeploymentFailed('ResourceFailed', message, place, { cause });
}
