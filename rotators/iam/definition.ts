import * as z from 'zod/mini';
import type { RotatorDefinition, RotatorTraits } from '../rotator';

/**
 * The pair that every AWS SDK takes as credentials; members beyond it are kept. AWS documents no shape of a secret for
 * access keys.
 */
const secret = z.looseObject({
  accessKeyId: z.string().check(z.regex(/^\w{16,128}$/)),
  secretAccessKey: z.string().check(z.minLength(1)),
});

/** Path and name of an IAM user are part of its ARN. */
const settings = z.strictObject({
  user: z.string().check(z.regex(/^arn:[a-z-]+:iam::\d{12}:user\/(?:[\x21-\x7e]+\/)?[\w+=,.@-]{1,64}$/)),
});

export type AccessKeySecret = z.infer<typeof secret>;
export type AccessKeySettings = z.infer<typeof settings>;

/** Two access keys of one IAM user, which IAM mints. The functions' own roles change them, so there is no admin. */
export const accessKeyDefinition: RotatorDefinition<AccessKeySecret, AccessKeySecret, AccessKeySettings> = {
  secret,
  admin: secret,
  settings,
  traits: ({ user }): RotatorTraits => ({
    overlap: 'two-credentials',
    mint: 'target',
    usage: true,
    // AWS knows requests and no sessions: one that is refused has nothing to be ended.
    endsSessions: false,
    admin: 'none',
    retirement: 'reversible',
    network: 'public',
    iam: [
      {
        verbs: ['create'],
        actions: [
          'iam:ListAccessKeys',
          'iam:GetAccessKeyLastUsed',
          'iam:DeleteAccessKey',
          'iam:CreateAccessKey',
        ],
        resources: [user],
      },
      { verbs: ['apply'], actions: ['iam:UpdateAccessKey'], resources: [user] },
      { verbs: ['retire'], actions: ['iam:ListAccessKeys', 'iam:UpdateAccessKey'], resources: [user] },
      { verbs: ['usage'], actions: ['iam:GetAccessKeyLastUsed'], resources: [user] },
    ],
  }),
  example: {
    secret: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
    generated: 'secretAccessKey',
    settings: { user: 'arn:aws:iam::111122223333:user/example-app' },
  },
  sensitive: ({ secretAccessKey }) => [secretAccessKey],
  claims: () => false,
  principal: ({ accessKeyId }) => accessKeyId,
  adminArn: () => undefined,
};
