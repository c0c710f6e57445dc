import * as z from 'zod';
import { ServiceError } from './service';

/**
 * Checks an operation's input against its shape and names the first thing that is wrong.
 *
 * A member that the shape does not list is refused by name, because an emulator that ignores what it does not
 * know hides bugs: declare it when it is implemented, and not before.
 */
export function parseInput<Shape extends z.ZodRawShape>(
  operation: string,
  shape: z.ZodObject<Shape>,
  input: Readonly<Record<string, unknown>>,
): z.infer<z.ZodObject<Shape>> {
  const parsed = z.strictObject(shape.shape).safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === 'unrecognized_keys')
    throw new ServiceError(
      'UnsupportedParameter',
      `The embedded cloud does not implement ${operation} with ${issue.keys.join(', ')}.`,
    );
  const path = issue?.path.join('.') ?? '';
  throw new ServiceError('ValidationException', `${operation}: ${path} ${issue?.message ?? 'is not valid'}`);
}
