import * as z from 'zod/mini';
import { AdapterEnvironmentInvalid, SettingsInvalid } from './errors';

/** A variable that is there and not empty. */
const variable = z.string().check(z.minLength(1));

/** What an adapter's function reads from its environment, and what the infrastructure sets. */
const environmentSchema = z.object({
  /** Name of the application, as it is enrolled. */
  CONSUMER: variable,
  /** Name of its secret. */
  SECRET_NAME: variable,
  /** Name of Rotor's bus, or its ARN where it belongs to another account. */
  BUS_NAME: variable,
  /** The adapter's settings, as JSON. Public. */
  SETTINGS: variable,
});

/** The environment that the infrastructure gives to an adapter's function. */
export type AdapterEnvironment = Readonly<z.infer<typeof environmentSchema>>;

/** Reads the function's own environment; AdapterEnvironmentInvalid names what is missing. */
export function readAdapterEnvironment(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): AdapterEnvironment {
  const parsed = z.safeParse(environmentSchema, variables);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map(({ path }) => path.join('.'));
  throw new AdapterEnvironmentInvalid(`missing or empty: ${names.join(', ')}`);
}

/**
 * Checks settings against an adapter's definition; SettingsInvalid names the fields.
 *
 * The text is what SETTINGS holds, and what the infrastructure checks when it is synthesised.
 */
export function parseSettings<Settings>(schema: z.ZodMiniType<Settings>, text: string): Settings {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SettingsInvalid('the settings are not JSON');
  }
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown field ${[...issue.path, issue.keys.join(', ')].join('.')}`
      : `field ${issue.path.join('.') || '(whole)'} is missing or has a wrong form`,
  );
  throw new SettingsInvalid(faults.join('; '));
}
