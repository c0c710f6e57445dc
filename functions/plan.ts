import * as z from 'zod/mini';
import { parameterStore } from '../aws/enrolments';
import { secretsManager } from '../aws/secrets';
import { PreviousStillHeld, RotationAbandoned, RotationReverted } from '../domain/errors';
import { heldVersion, standing, versionWith } from '../domain/labels';
import { heldLabel } from '../domain/names';
import { parseEnrolment, parsePolicy } from '../domain/policy';
import { formWaves } from '../domain/waves';
import { task } from './task';

const secrets = secretsManager();
const enrolments = parameterStore();

const input = z.object({ secretArn: z.string(), versionId: z.string(), mode: z.enum(['rotate', 'test']) });

/**
 * Reads labels, policy and consumers once and pins them for the whole rotation; changes nothing.
 *
 * PreviousStillHeld, RotationReverted, RotationAbandoned, PolicyInvalid.
 */
export const handler = task('plan', input, async ({ secretArn, versionId, mode }, context) => {
  const { arn, name, labels } = await secrets.describe(secretArn);
  if (standing(labels, versionId) === 'gone')
    throw new RotationReverted(`AWSPENDING is no longer on version ${versionId}`);
  const previousVersionId = versionWith(labels, 'AWSCURRENT');
  if (previousVersionId === undefined) throw new RotationAbandoned(`no version of ${name} carries AWSCURRENT`);
  if (mode === 'rotate') {
    if (previousVersionId === versionId)
      throw new RotationAbandoned(`AWSCURRENT is on version ${versionId} already, before the rotation began`);
    const held = heldVersion(labels);
    if (held !== undefined)
      throw new PreviousStillHeld(`version ${held} of ${name} carries ${heldLabel}: somebody may still use it`);
  }
  const texts = await enrolments.read(name);
  const policy = parsePolicy(texts.policy, `policy of ${name}`);
  const consumers = Object.fromEntries(
    Object.entries(texts.consumers).map(([consumer, text]) => [
      consumer,
      parseEnrolment(text, `consumer ${consumer} of ${name}`),
    ]),
  );
  const { rotator, admin, patienceSeconds, onRefusal, onSilence, retire, drain, password } = policy;
  const ownAccount = context.invokedFunctionArn.split(':')[4] ?? '';
  return {
    secret: { arn, name },
    versionId,
    previousVersionId,
    rotator: rotator ?? null,
    admin: admin ?? null,
    policy: { patienceSeconds, onRefusal, onSilence, retire, drain, password },
    ...formWaves(consumers, policy.consumers, ownAccount),
  };
});
