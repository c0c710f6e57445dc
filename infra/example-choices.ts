import type { Environment } from 'aws-cdk-lib';
import type { Node } from 'constructs';
import { isRotatorName, type RotatorName, rotatorNames } from '../rotators/registry';

/** What may be chosen for the example with `--context name=value`. */
export interface ExampleChoices {
  readonly rotator: RotatorName;
  /** Where the database answers; both secrets are written with it. */
  readonly databaseHost: string;
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
  const rotator = text('rotator') ?? 'postgres-alternating';
  if (!isRotatorName(rotator)) {
    throw new Error(`no rotator ${rotator}; there are ${rotatorNames.join(', ')}`);
  }
  return {
    rotator,
    databaseHost: text('databaseHost') ?? 'database.example.internal',
    runbookUrl: text('runbookUrl') ?? 'https://example.com/rotor/docs/errors.md',
    alertEmail: text('alertEmail'),
    maxAgeSeconds: text('maxAgeSeconds') ?? '60',
  };
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
