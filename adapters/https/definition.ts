import * as z from 'zod/mini';
import type { AdapterDefinition } from '../adapter';

/** A value that CDK knows at deployment only; the function gets what it stands for. */
const unresolved = /\$\{Token\[/;

const settings = z.strictObject({
  /** Where requests go: HTTPS, without a user and without a fragment. */
  url: z.string().check(z.refine((text) => unresolved.test(text) || isEndpoint(text))),
  /** ARN of the secret that holds the key of the signatures. It is the team's own, and not the one that is rotated. */
  signingSecretArn: z.string().check(z.minLength(1)),
  /** Member of that secret that holds the key; a secret that is no JSON object is the key as a whole. */
  signingMember: z._default(z.string().check(z.minLength(1)), 'value'),
  /** Whether the host may have a private address, as in the VPC that the function is in. */
  privateAddresses: z._default(z.boolean(), false),
  /** Certificate of the only authority to trust, as PEM; absent: those that Node trusts. */
  ca: z.optional(z.string().check(z.minLength(1))),
});

/** What the adapter for HTTPS endpoints is told. */
export type HttpsSettings = z.output<typeof settings>;

/** Tells an endpoint of the team's own, by signed requests over HTTPS. */
export const httpsDefinition = {
  settings,
  grants: ({ signingSecretArn }) => [
    { actions: ['secretsmanager:GetSecretValue'], resources: [signingSecretArn] },
  ],
  lookEverySeconds: 5,
} as const satisfies AdapterDefinition<HttpsSettings>;

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return protocol === 'https:' && username === '' && password === '' && hash === '';
}
