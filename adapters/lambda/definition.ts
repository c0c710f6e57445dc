import * as z from 'zod/mini';
import type { AdapterDefinition } from '../adapter';

const settings = z.strictObject({
  /** ARN of the function, without a version or an alias. */
  function: z.string().check(z.minLength(1)),
  /** The alias that its callers use; absent: they call the function without one. */
  alias: z.optional(z.string().check(z.regex(/^(?!^[0-9]+$)[A-Za-z0-9_-]{1,128}$/))),
  /**
   * Name of the environment variable that is changed so that new environments are made. A function that uses several
   * secrets needs one for each.
   */
  variable: z._default(z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9_]+$/)), 'ROTOR_SECRET_VERSION'),
});

/** What the adapter for Lambda functions is told. */
export type LambdaSettings = z.output<typeof settings>;

/** Gives a Lambda function new execution environments, and its alias a version that has them. */
export const lambdaDefinition = {
  settings,
  grants: ({ function: arn, alias }) => [
    {
      actions: ['lambda:GetFunctionConfiguration', 'lambda:UpdateFunctionConfiguration'],
      resources: [arn],
    },
    ...(alias === undefined
      ? []
      : [
          { actions: ['lambda:PublishVersion', 'lambda:GetAlias', 'lambda:UpdateAlias'], resources: [arn] },
          // Versions are resources of their own, and this one is not published yet.
          { actions: ['lambda:GetFunctionConfiguration'], resources: [`${arn}:*`] },
        ]),
  ],
  lookEverySeconds: 5,
} as const satisfies AdapterDefinition<LambdaSettings>;
