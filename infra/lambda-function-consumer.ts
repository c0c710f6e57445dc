import type { Construct } from 'constructs';
import type { SettingsInput } from '../adapters/definitions';
import { type AdaptedConsumerProps, AdapterConsumer } from './adapter-consumer';

/** A Lambda function that takes part in rotations without knowing of them. */
export interface LambdaFunctionConsumerProps
  extends AdaptedConsumerProps, Omit<SettingsInput<'lambda'>, 'function' | 'alias'> {
  /** Any function of CDK's. */
  readonly function: { readonly functionArn: string };
  /** The alias that its callers use. Default: they call the function itself. */
  readonly alias?: { readonly aliasName: string };
}

/**
 * Enrols a Lambda function: it gets new environments when the secret has a new version.
 *
 * Where its variables are encrypted with a key of your own, let `function.role` of this construct use that key.
 */
export class LambdaFunctionConsumer extends AdapterConsumer<'lambda'> {
  constructor(
    scope: Construct,
    id: string,
    { function: target, alias, variable, ...props }: LambdaFunctionConsumerProps,
  ) {
    super(scope, id, {
      ...props,
      adapter: 'lambda',
      settings: {
        function: target.functionArn,
        ...(alias === undefined ? {} : { alias: alias.aliasName }),
        ...(variable === undefined ? {} : { variable }),
      },
    });
  }
}
