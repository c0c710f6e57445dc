import { EnvironmentInvalid } from '../domain/errors';

/**
 * The environment variables of every function, by function: what the code reads and what the infrastructure must set.
 */
export const environments = {
  rotation: ['STATE_MACHINE_ARN'],
  plan: [],
  'set-secret': [],
  'test-secret': [],
  'finish-secret': [],
  usage: [],
  retire: [],
  replicas: [],
  acknowledge: [],
  'who-refused': [],
  decide: [],
  follow: ['STATE_MACHINE_ARN'],
  alert: ['ALERT_TOPIC_ARN', 'RUNBOOK_URL'],
} as const satisfies Record<string, readonly string[]>;

export type FunctionName = keyof typeof environments;
/** The environment that the infrastructure gives to one function. */
export type EnvironmentOf<Name extends FunctionName> = Readonly<
  Record<(typeof environments)[Name][number], string>
>;

/** Reads a function's own environment; EnvironmentInvalid names what is missing. */
export function readEnvironment<Name extends FunctionName>(name: Name): EnvironmentOf<Name> {
  const missing = environments[name].filter((variable) => (process.env[variable] ?? '') === '');
  if (missing.length > 0) throw new EnvironmentInvalid(`function ${name} lacks ${missing.join(', ')}`);
  return Object.fromEntries(
    environments[name].map((variable) => [variable, process.env[variable]]),
  ) as EnvironmentOf<Name>;
}
