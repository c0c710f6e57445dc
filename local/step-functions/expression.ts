import jsonata from 'jsonata';
import { awsFunctions } from './aws-functions';
import type { Json, JsonObject } from './json';
import { isArray, isObject, parseJson } from './json';

/** An expression that gave no JSON value: where it stands, and AWS's words for what went wrong. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';

  constructor(
    /** Path of the field, such as `Output/result`. */
    readonly location: string,
    message: string,
  ) {
    super(message);
  }
}

/** What an expression can see: the variables in scope, and `$states`. */
export interface Bindings {
  readonly variables: Readonly<Record<string, Json>>;
  readonly states: JsonObject;
}

const shape = /^\{%([\s\S]*)%\}$/;

// One second an expression, as on AWS. A machine under load can lose a second without evaluating anything, so that
// only an expression that has also taken this many steps is stopped.
const longestMs = 1000;
const leastSteps = 5000;

/** The JSONata inside `{% %}`, trimmed, or undefined where the string is a literal. */
export function expressionIn(text: string): string | undefined {
  return shape.exec(text)?.[1]?.trim();
}

/** Evaluates the templates of a state machine: JSON values with `{% %}` strings in them. */
export class Expressions {
  private readonly functions: ReturnType<typeof awsFunctions>;

  /** `now`: milliseconds since the epoch, for `$now` and `$millis`; they are the clock's, not the machine's. */
  constructor(
    random: () => number,
    private readonly now: () => number,
  ) {
    this.functions = awsFunctions(random);
  }

  /** The template with every expression replaced by its value; throws ExpressionError. */
  async evaluate(template: Json, bindings: Bindings, field: string): Promise<Json> {
    if (typeof template === 'string') {
      const source = expressionIn(template);
      return source === undefined ? template : this.single(source, bindings, field);
    }
    if (isArray(template)) {
      const values: Json[] = [];
      for (const [index, item] of template.entries())
        values.push(await this.evaluate(item, bindings, `${field}[${index}]`));
      return values;
    }
    if (isObject(template)) {
      const members: Record<string, Json> = {};
      for (const [key, member] of Object.entries(template))
        members[key] = await this.evaluate(member, bindings, `${field}/${key}`);
      return members;
    }
    return template;
  }

  private async single(source: string, bindings: Bindings, field: string): Promise<Json> {
    const about = `The JSONata expression '${source}' specified for the field '${field}'`;
    let value: unknown;
    try {
      value = await this.prepare(source).evaluate(undefined, {
        ...bindings.variables,
        states: bindings.states,
      });
    } catch (error) {
      throw new ExpressionError(field, `${about} threw an error during evaluation. ${describe(error)}`);
    }
    if (value === undefined) throw new ExpressionError(field, `${about} returned nothing (undefined).`);
    // JSONata's arrays carry marks and its objects may hold functions: only what JSON can say goes on.
    if (holdsFunction(value))
      throw new ExpressionError(field, `${about} returned an unsupported result type.`);
    return parseJson(JSON.stringify(value));
  }

  private prepare(source: string): jsonata.Expression {
    const expression = jsonata(source);
    for (const [name, run] of Object.entries(this.functions)) expression.assign(name, run);
    expression.assign('eval', undefined);
    const millis = Math.floor(this.now());
    expression.registerFunction('millis', () => millis, '<:n>');
    expression.registerFunction(
      'now',
      (picture?: string, zone?: string) => formatTime(millis, picture, zone),
      '<s?s?:s>',
    );
    const startedAt = performance.now();
    let steps = 0;
    const watch = (): void => {
      steps += 1;
      if (steps > leastSteps && performance.now() - startedAt > longestMs)
        throw new Error('Expression evaluation timeout: Check for infinite loop');
    };
    // The evaluator calls what is bound to this symbol on every step; its type declaration knows strings only.
    const assign: unknown = Reflect.get(expression, 'assign');
    if (typeof assign === 'function')
      Reflect.apply(assign, expression, [Symbol.for('jsonata.__evaluate_entry'), watch]);
    return expression;
  }
}

function holdsFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  // JSONata's own functions and lambdas are objects with one of these marks.
  if ('_jsonata_function' in value || '_jsonata_lambda' in value) return true;
  return Object.values(value).some(holdsFunction);
}

function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return `${code}${'message' in error ? String(error.message) : 'unknown error'}`;
}

const timeFormat = jsonata('$fromMillis(millis, picture, zone)');

async function formatTime(
  millis: number,
  picture: string | undefined,
  zone: string | undefined,
): Promise<unknown> {
  return timeFormat.evaluate({ millis, picture, zone });
}
