import * as z from 'zod/mini';
import { parameterStore } from '../aws/enrolments';
import { PreviousStillHeld } from '../domain/errors';
import { consumerParameter, heldLabel, secretNameOf, secretPolicyParameter } from '../domain/names';
import { parseEnrolment, parsePolicy } from '../domain/policy';
import { assertFits, formUrgentWave, formWaves } from '../domain/waves';
import { task } from './task';

const enrolments = parameterStore();

const input = z.object({
  secretArn: z.string(),
  versionId: z.string(),
  /** AWSCURRENT's version, and the held one if there is one, as the rotation function saw them when it began. */
  previousVersionId: z.string(),
  heldVersionId: z.nullable(z.string()),
  mode: z.enum(['rotate', 'test', 'follow']),
});

/**
 * Reads policy and consumers once and pins them for the whole rotation, together with the version ids that the rotation
 * function saw; changes nothing. PreviousStillHeld, PolicyInvalid.
 *
 * The labels themselves are not read again: FinishSecret moves AWSCURRENT from exactly this version or not at all.
 */
export const handler = task('plan', input, async (request, context) => {
  const { secretArn: arn, versionId, previousVersionId, heldVersionId, mode } = request;
  const name = secretNameOf(arn);
  if (mode === 'rotate' && heldVersionId !== null)
    throw new PreviousStillHeld(
      `version ${heldVersionId} of ${name} carries ${heldLabel}: somebody may still use it`,
    );
  const texts = await enrolments.read(name);
  const policy = parsePolicy(texts.policy, `parameter ${secretPolicyParameter(name)}`);
  const consumers = Object.fromEntries(
    Object.entries(texts.consumers).map(([consumer, text]) => [
      consumer,
      parseEnrolment(text, `parameter ${consumerParameter(name, consumer)}`),
    ]),
  );
  const { rotator, admin, settings, patienceSeconds, replicaDeadlineSeconds } = policy;
  const { onRefusal, onSilence, drain, password, urgency } = policy;
  // Who follows a value that is not Rotor's stops nothing, and so has nobody to cut off.
  const isUrgent = urgency === 'compromised' && mode !== 'follow';
  const ownAccount = context.invokedFunctionArn.split(':')[4] ?? '';
  const plan = {
    secret: { arn, name },
    versionId,
    previousVersionId,
    rotator: rotator ?? null,
    admin: admin ?? null,
    settings,
    policy: {
      patienceSeconds,
      replicaDeadlineSeconds,
      pauseSeconds: policy.consumers.pauseSeconds,
      onRefusal,
      onSilence,
      // Whoever else has it must lose it, whatever the policy says of ordinary days.
      retire: isUrgent ? 'stop' : policy.retire,
      drain,
      password,
      urgency: isUrgent ? urgency : 'routine',
    },
    ...(isUrgent ? formUrgentWave : formWaves)(consumers, policy.consumers, ownAccount),
  };
  assertFits(plan);
  return plan;
});
