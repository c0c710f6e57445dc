import * as z from 'zod/mini';
import { SecretMalformed } from '../../domain/errors';
import type { RotatorDefinition, RotatorTraits } from '../rotator';
import { sensitiveStrings } from './contract';

const member = z.string().check(z.minLength(1));

/** What the policy has to say about a target that only the team's own function knows. */
const settings = z
  .strictObject({
    /** ARN of the function, or of one of its aliases or versions. */
    function: z
      .string()
      .check(z.regex(/^arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[\w-]{1,64}(?::[\w$-]{1,128})?$/)),
    /** Member that names the credential at the target: public. */
    principal: member,
    /** Further members that are no secret; everything else is taken for one. */
    public: z._default(z.array(member), []),
    /** Member that Rotor draws anew. Absent: the target invents the credential, and the function's `create` fetches it. */
    generated: z.optional(member),
    overlap: z.enum(['two-principals', 'two-credentials', 'none']),
    usage: z._default(z.boolean(), false),
    /** Whether the function can end the sessions of a credential that it has retired. */
    endsSessions: z._default(z.boolean(), false),
    admin: z._default(z.enum(['required', 'optional', 'none']), 'none'),
    retirement: z._default(z.enum(['reversible', 'deferred']), 'reversible'),
    longestPassword: z.optional(z.int().check(z.gte(12), z.lte(128))),
    /** Handed to the function with every request. */
    options: z._default(z.record(z.string(), z.unknown()), {}),
  })
  .check(
    z.refine(
      (read) => read.generated === undefined || ![read.principal, ...read.public].includes(read.generated),
      { path: ['generated'], error: 'is public, and what is drawn is a secret' },
    ),
    // Two users take turns, and only the function knows their names.
    z.refine((read) => read.generated === undefined || read.overlap !== 'two-principals', {
      path: ['generated'],
      error: "cannot be with overlap two-principals: the function's create has to name the other user",
    }),
    z.refine((read) => read.usage || !read.endsSessions, {
      path: ['endsSessions'],
      error: 'needs usage: nobody would see that there are sessions',
    }),
    z.refine((read) => read.retirement === 'reversible' || !read.endsSessions, {
      path: ['endsSessions'],
      error:
        'cannot be with retirement deferred: sessions would come back with a credential that still works',
    }),
    // The rotation after stops it in `create`, which is not asked where Rotor draws the value itself.
    z.refine((read) => read.generated === undefined || read.retirement !== 'deferred', {
      path: ['retirement'],
      error:
        "deferred cannot be with generated: no create of the function's would ever stop the old credential",
    }),
  );

const secret = z.looseObject({});

export type OwnSecret = z.infer<typeof secret>;
export type OwnSettings = z.infer<typeof settings>;

/** The team's own function, for whatever Rotor has no rotator: one invocation a verb, as contract.ts types them. */
export const lambdaDefinition: RotatorDefinition<OwnSecret, OwnSecret, OwnSettings> = {
  secret,
  admin: secret,
  settings,
  traits: (read): RotatorTraits => ({
    overlap: read.overlap,
    mint: read.generated === undefined ? 'target' : 'rotator',
    usage: read.usage,
    endsSessions: read.endsSessions,
    admin: read.admin,
    retirement: read.retirement,
    network: 'public',
    iam: [
      {
        verbs: [
          ...(read.generated === undefined ? (['create'] as const) : []),
          'apply',
          'verify',
          ...(read.usage ? (['usage'] as const) : []),
          'retire',
          ...(read.endsSessions ? (['end'] as const) : []),
        ],
        actions: ['lambda:InvokeFunction'],
        resources: [read.function],
      },
    ],
    ...(read.longestPassword === undefined ? {} : { longestPassword: read.longestPassword }),
  }),
  example: {
    secret: { url: 'https://partner.example.com', client: 'example-app' },
    admin: { url: 'https://partner.example.com', client: 'rotor-admin' },
    generated: 'token',
    settings: {
      function: 'arn:aws:lambda:us-east-1:111122223333:function:example-own-rotator',
      principal: 'client',
      public: ['url'],
      generated: 'token',
      overlap: 'two-credentials',
      usage: true,
      admin: 'required',
    },
  },
  sensitive: (value, read) => sensitiveStrings(value, [read.principal, ...read.public]),
  claims: () => false,
  principal: principalOf,
  adminArn: () => undefined,
};

/** The credential's public name. SecretMalformed where the secret has none. */
export function principalOf(value: OwnSecret, { principal }: Pick<OwnSettings, 'principal'>): string {
  return textOf(value, principal);
}

/** A member that has to be a text. SecretMalformed. */
export function textOf(value: OwnSecret, name: string): string {
  const found = value[name];
  if (typeof found === 'string' && found !== '') return found;
  throw new SecretMalformed(`secret has a wrong or missing field: ${name}`);
}
