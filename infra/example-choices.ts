import type { Environment } from 'aws-cdk-lib';
import type { Node } from 'constructs';
import { isRotatorName, type RotatorName, rotatorNames } from '../rotators/registry';

/** What may be chosen for the example with `--context name=value`. */
export interface ExampleChoices {
  readonly rotator: RotatorName;
  /** Where the target answers, for rotators whose secrets name a host; both secrets are written with it. */
  readonly host: string | undefined;
  /** What the policy says about the target; absent: the rotator's own example. As JSON on the command line. */
  readonly settings: Readonly<Record<string, unknown>> | undefined;
  /** Page with one section per error. */
  readonly runbookUrl: string;
  /** Who gets the alerts by mail. */
  readonly alertEmail: string | undefined;
  /** How old a cached secret may become in the function `reports`, and so how long it waits to acknowledge. */
  readonly maxAgeSeconds: string;
}

/** Reads the choices from the app's context; each has a default. */
export function readChoices(app: Node): ExampleChoices {
  const text = (name: string): string | undefined => {
    const value: unknown = app.tryGetContext(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const rotator = text('rotator') ?? rotatorNames[0] ?? '';
  if (!isRotatorName(rotator)) {
    throw new Error(`no rotator ${rotator}; there are ${rotatorNames.join(', ')}`);
  }
  return {
    rotator,
    host: text('host'),
    settings: object(text('settings'), 'settings'),
    runbookUrl: text('runbookUrl') ?? 'https://example.com/rotor/docs/errors.md',
    alertEmail: text('alertEmail'),
    maxAgeSeconds: text('maxAgeSeconds') ?? '60',
  };
}

function object(text: string | undefined, name: string): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`the context value ${name} is no JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`the context value ${name} is no JSON object`);
  }
  return { ...value };
}

/** The account and region that the CDK CLI found credentials for; without any, the templates fit every account. */
export function deploymentEnvironment(): Environment {
  const account = process.env['CDK_DEFAULT_ACCOUNT'];
  const region = process.env['CDK_DEFAULT_REGION'];
  return {
    ...(account === undefined ? {} : { account }),
    ...(region === undefined ? {} : { region }),
  };
}
