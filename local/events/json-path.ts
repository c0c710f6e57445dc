import { isRecord } from '../gateway/wire-values';
import { ServiceError } from '../kernel/service';

/** Reads a JSON path such as `$.detail.items[0]` or `$.detail['a b']` into a function that follows it. */
export function compileJsonPath(path: string): (event: unknown) => unknown {
  if (!path.startsWith('$')) throw new ServiceError('ValidationException', `Invalid JSON path: ${path}`);
  const steps: (string | number)[] = [];
  let rest = path.slice(1);
  while (rest !== '') {
    const match = /^(?:\.([^.[\]*]+)|\[(\d+)\]|\['([^']+)'\]|\["([^"]+)"\])/.exec(rest);
    if (match === null)
      throw new ServiceError(
        'UnsupportedParameter',
        `The embedded cloud does not implement the JSON path ${path}: only names and positions.`,
      );
    const [whole, dotted, position, single, double] = match;
    steps.push(position === undefined ? (dotted ?? single ?? double ?? '') : Number(position));
    rest = rest.slice(whole.length);
  }
  return (event) => steps.reduce(follow, event);
}

function follow(value: unknown, step: string | number): unknown {
  if (typeof step === 'number') return Array.isArray(value) ? (value[step] as unknown) : undefined;
  return isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}
