import * as z from 'zod/mini';
import { secretsManager } from '../aws/secrets';
import { rotatorFor } from '../rotators/registry';
import { contextFor, readVersion } from './target';
import { task } from './task';

const secrets = secretsManager();

const input = z.object({
  secretArn: z.string(),
  versionId: z.string(),
  /** Null where nobody has chosen yet: a test without a rotation. */
  rotator: z.nullable(z.string()),
  settings: z.record(z.string(), z.unknown()),
  /** Whether the version must still carry AWSPENDING. */
  pending: z.boolean(),
});

/** Proves one version by logging in with it. Reads only. CredentialRejected, CredentialUnusable. */
export const handler = task(
  'test-secret',
  input,
  async ({ secretArn, versionId, rotator, settings, pending }, lambda) => {
    const { text } = await readVersion(secrets, secretArn, versionId, pending ? 'AWSPENDING' : undefined);
    await rotatorFor(text, rotator ?? undefined).rotator.verify(
      text,
      await contextFor(secrets, { settings }, lambda),
    );
    return {};
  },
);
