import { TemplateFault } from './deployment-failed';
import { attributeOf, noValue, refer, type Scope } from './scope';

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

/** Replaces every intrinsic function in a value by what it stands for; unknown functions are refused by name. */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value))
    return value.map((element) => resolve(element, scope)).filter((element) => element !== noValue);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const [name, argument] = only as [string, unknown];
    const intrinsic = Object.hasOwn(intrinsics, name)
      ? (intrinsics as Readonly<Record<string, Intrinsic>>)[name]
      : undefined;
    if (intrinsic !== undefined) return intrinsic(argument, scope);
    if (name.startsWith('Fn::'))
      throw new TemplateFault('UnsupportedFunction', `the embedded cloud does not implement ${name}`);
  }
  return Object.fromEntries(
    entries
      .map(([key, inner]) => [key, resolve(inner, scope)] as const)
      .filter(([, inner]) => inner !== noValue),
  );
}

/** Whether the named condition of the template holds. */
export function conditionHolds(name: string, scope: Scope): boolean {
  const condition = scope.template.Conditions?.[name];
  if (condition === undefined) throw new TemplateFault('TemplateInvalid', `there is no condition ${name}`);
  return truth(condition, scope);
}

const intrinsics = {
  Ref: (argument, scope) => refer(scope, text(argument, 'Ref')),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, attribute] = getAttParts(argument);
    return attributeOf(scope, logicalId, text(resolve(attribute, scope), 'Fn::GetAtt'));
  },
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = list(argument, 'Fn::Join');
    const texts = list(resolve(parts, scope), 'Fn::Join').map((part) => text(part, 'Fn::Join'));
    return texts.join(text(separator, 'Fn::Join'));
  },
  'Fn::Sub': (argument, scope) => substitute(argument, scope),
  'Fn::Select': (argument, scope) => {
    const [index, parts] = list(argument, 'Fn::Select');
    const chosen = list(resolve(parts, scope), 'Fn::Select')[Number(resolve(index, scope))];
    if (chosen === undefined)
      throw new TemplateFault('TemplateInvalid', 'Fn::Select reaches beyond its list');
    return chosen;
  },
  'Fn::Split': (argument, scope) => {
    const [separator, whole] = list(argument, 'Fn::Split');
    return text(resolve(whole, scope), 'Fn::Split').split(text(separator, 'Fn::Split'));
  },
  'Fn::ImportValue': (argument, scope) => {
    const name = text(resolve(argument, scope), 'Fn::ImportValue');
    if (!scope.exports.has(name)) throw new TemplateFault('TemplateInvalid', `no stack exports ${name}`);
    return scope.exports.get(name);
  },
  'Fn::If': (argument, scope) => {
    const [condition, then, otherwise] = list(argument, 'Fn::If');
    return resolve(conditionHolds(text(condition, 'Fn::If'), scope) ? then : otherwise, scope);
  },
  'Fn::FindInMap': (argument, scope) => {
    const [map, first, second] = list(resolve(argument, scope), 'Fn::FindInMap').map((key) =>
      text(key, 'Fn::FindInMap'),
    );
    const found = scope.template.Mappings?.[map ?? '']?.[first ?? '']?.[second ?? ''];
    if (found === undefined)
      throw new TemplateFault('TemplateInvalid', `Fn::FindInMap finds no ${map}.${first}.${second}`);
    return found;
  },
  'Fn::Base64': (argument, scope) =>
    Buffer.from(text(resolve(argument, scope), 'Fn::Base64')).toString('base64'),
} satisfies Record<string, Intrinsic>;

function truth(condition: unknown, scope: Scope): boolean {
  if (typeof condition === 'object' && condition !== null) {
    const [entry] = Object.entries(condition) as [string, unknown][];
    const [name, argument] = entry ?? ['', undefined];
    switch (name) {
      case 'Condition':
        return conditionHolds(text(argument, 'Condition'), scope);
      case 'Fn::Equals': {
        const [left, right] = list(argument, name).map((side) => resolve(side, scope));
        return JSON.stringify(left) === JSON.stringify(right);
      }
      case 'Fn::Not':
        return !truth(list(argument, name)[0], scope);
      case 'Fn::And':
        return list(argument, name).every((part) => truth(part, scope));
      case 'Fn::Or':
        return list(argument, name).some((part) => truth(part, scope));
      default:
        throw new TemplateFault('UnsupportedFunction', `the embedded cloud knows no condition ${name}`);
    }
  }
  throw new TemplateFault('TemplateInvalid', 'a condition is not an object');
}

/** The logical id and the attribute of a Fn::GetAtt, in either of its forms. */
export function getAttParts(argument: unknown): readonly [string, unknown] {
  if (typeof argument === 'string') {
    const dot = argument.indexOf('.');
    return [argument.slice(0, dot), argument.slice(dot + 1)];
  }
  const [logicalId, attribute] = list(argument, 'Fn::GetAtt');
  return [text(logicalId, 'Fn::GetAtt'), attribute];
}

/** The names that `${…}` of a Fn::Sub stand for; `${!…}` is left as it is. */
export const substitutionPattern = /\$\{(!?)([^}]*)\}/g;

/** The text of a Fn::Sub and the names that it defines itself. */
export function substitutionParts(argument: unknown): readonly [string, Readonly<Record<string, unknown>>] {
  if (typeof argument === 'string') return [argument, {}];
  const [pattern, own] = list(argument, 'Fn::Sub');
  return [text(pattern, 'Fn::Sub'), typeof own === 'object' && own !== null ? { ...own } : {}];
}

function substitute(argument: unknown, scope: Scope): string {
  const [pattern, own] = substitutionParts(argument);
  return pattern.replace(substitutionPattern, (_whole, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`;
    const value = Object.hasOwn(own, name)
      ? resolve(own[name], scope)
      : name.includes('.')
        ? attributeOf(scope, ...splitAttribute(name))
        : refer(scope, name);
    return text(value, 'Fn::Sub');
  });
}

function splitAttribute(name: string): readonly [string, string] {
  const dot = name.indexOf('.');
  return [name.slice(0, dot), name.slice(dot + 1)];
}

function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TemplateFault('TemplateInvalid', `${name} takes a list`);
  return value as unknown[];
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateFault('TemplateInvalid', `${name} got something that is not text`);
}
