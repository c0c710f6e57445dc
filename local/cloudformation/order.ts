import { TemplateFault } from './deployment-failed';
import { getAttParts, substitutionParts, substitutionPattern } from './intrinsics';
import type { Template, TemplateResource } from './template';

/** Every name that a value refers to by Ref, Fn::GetAtt or Fn::Sub, resources and others alike. */
export function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, argument]: [string, unknown]) => {
    if (key === 'Ref' && typeof argument === 'string') return [argument];
    if (key === 'Fn::GetAtt') {
      const [logicalId, attribute] = getAttParts(argument);
      return [logicalId, ...namesIn(attribute)];
    }
    if (key === 'Fn::Sub') {
      const [pattern, own] = substitutionParts(argument);
      const named = [...pattern.matchAll(substitutionPattern)]
        .filter(([, literal, name]) => literal === '' && name !== undefined && !Object.hasOwn(own, name))
        .map(([, , name]) => (name ?? '').replace(/\..*$/, ''));
      return [...named, ...namesIn(own)];
    }
    return namesIn(argument);
  });
}

/**
 * The logical ids in an order in which each comes after all that it needs; among equals, the template's order.
 *
 * References inside both branches of a Fn::If count, as they do for CloudFormation.
 */
export function creationOrder(resources: Template['Resources']): readonly string[] {
  const ordered: string[] = [];
  const visiting: string[] = [];
  const visit = (id: string): void => {
    if (ordered.includes(id)) return;
    if (visiting.includes(id)) {
      const circle = [...visiting.slice(visiting.indexOf(id)), id].join(' → ');
      throw new TemplateFault('TemplateInvalid', `circular dependency: ${circle}`);
    }
    const resource = resources[id];
    if (resource === undefined) return;
    visiting.push(id);
    for (const needed of needs(resource)) visit(needed);
    visiting.pop();
    ordered.push(id);
  };
  for (const [id, resource] of Object.entries(resources)) {
    for (const named of dependsOn(resource))
      if (resources[named] === undefined)
        throw new TemplateFault('TemplateInvalid', `${id} depends on ${named}, which is not in the template`);
    visit(id);
  }
  return ordered;
}

function needs(resource: TemplateResource): readonly string[] {
  return [...dependsOn(resource), ...namesIn(resource.Properties)];
}

function dependsOn(resource: TemplateResource): readonly string[] {
  return typeof resource.DependsOn === 'string' ? [resource.DependsOn] : (resource.DependsOn ?? []);
}
