import * as z from 'zod';
import { ServiceError } from '../kernel/service';
import type { Event } from './event';
import { compileJsonPath } from './json-path';

/** The ways to say what a target gets instead of the whole event; one of them at most. */
export const inputShape = {
  Input: z.string().max(8192).optional(),
  InputPath: z.string().max(256).optional(),
  InputTransformer: z
    .strictObject({
      InputPathsMap: z.record(z.string(), z.string()).optional(),
      InputTemplate: z.string().min(1).max(8192),
    })
    .optional(),
};

/** What a template may refer to beside the event. */
export interface RuleContext {
  readonly ruleArn: string;
  readonly ruleName: string;
  /** Milliseconds since the Unix epoch. */
  readonly ingestedAt: number;
}

/** Makes the text that a target gets. */
export type TargetInput = (event: Event, context: RuleContext) => string;

/** Reads how a target wants its events, and refuses what could never be delivered. */
export function compileTargetInput(id: string, target: z.infer<z.ZodObject<typeof inputShape>>): TargetInput {
  const { Input, InputPath, InputTransformer } = target;
  if ([Input, InputPath, InputTransformer].filter((way) => way !== undefined).length > 1)
    throw new ServiceError(
      'ValidationException',
      `Only one of Input, InputPath, or InputTransformer must be provided for target ${id}.`,
    );
  if (Input !== undefined) {
    if (!isJson(Input))
      throw new ServiceError('ValidationException', `JSON syntax error in input for target ${id}.`);
    return () => Input;
  }
  if (InputPath !== undefined) {
    const select = compileJsonPath(InputPath);
    return (event) => JSON.stringify(select(event) ?? null);
  }
  if (InputTransformer !== undefined)
    return compileTemplate(id, InputTransformer.InputTemplate, InputTransformer.InputPathsMap ?? {});
  return (event) => JSON.stringify(event);
}

const variable = /<([A-Za-z0-9._-]+)>/y;

function compileTemplate(id: string, template: string, paths: Readonly<Record<string, string>>): TargetInput {
  const invalid = () => new ServiceError('ValidationException', `Invalid InputTemplate for target ${id}.`);
  const values = new Map(Object.entries(paths).map(([name, path]) => [name, compileJsonPath(path)]));
  for (const name of values.keys())
    if (name.startsWith('aws.'))
      throw new ServiceError(
        'ValidationException',
        `InputPathsMap for target ${id} uses the reserved name ${name}.`,
      );
  const parts = splitTemplate(template);
  for (const part of parts)
    if (typeof part !== 'string' && !values.has(part.name) && !reserved.has(part.name)) throw invalid();
  // What stands around the variables decides whether the result can be JSON.
  const sample = parts.map((part) => (typeof part === 'string' ? part : part.quoted ? '' : 'null')).join('');
  if (!isJson(sample) && !sample.trim().split('\n').every(isJson)) throw invalid();
  return (event, context) =>
    parts
      .map((part) => {
        if (typeof part === 'string') return part;
        const value = values.get(part.name)?.(event) ?? reserved.get(part.name)?.(event, context);
        const json = JSON.stringify(value ?? (part.quoted ? '' : null));
        if (!part.quoted) return json;
        return typeof value === 'string' || value === undefined
          ? json.slice(1, -1)
          : JSON.stringify(json).slice(1, -1);
      })
      .join('');
}

/** The names that every template may use. */
const reserved = new Map<string, (event: Event, context: RuleContext) => unknown>([
  ['aws.events.rule-arn', (_event, context) => context.ruleArn],
  ['aws.events.rule-name', (_event, context) => context.ruleName],
  ['aws.events.event.ingestion-time', (_event, context) => new Date(context.ingestedAt).toISOString()],
  ['aws.events.event.json', (event) => event],
  ['aws.events.event', ({ detail: _detail, ...rest }) => rest],
]);

/** Takes a template apart into text and variables, and notes which of them stand inside a JSON string. */
function splitTemplate(
  template: string,
): readonly (string | { readonly name: string; readonly quoted: boolean })[] {
  const parts: (string | { readonly name: string; readonly quoted: boolean })[] = [];
  let text = '';
  let quoted = false;
  for (let index = 0; index < template.length; index++) {
    const character = template.charAt(index);
    variable.lastIndex = index;
    const match = character === '<' ? variable.exec(template) : null;
    if (match !== null) {
      parts.push(text, { name: match[1] ?? '', quoted });
      text = '';
      index += match[0].length - 1;
      continue;
    }
    if (character === '\\') {
      text += character + template.charAt(++index);
      continue;
    }
    if (character === '"') quoted = !quoted;
    text += character;
  }
  return [...parts, text];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
