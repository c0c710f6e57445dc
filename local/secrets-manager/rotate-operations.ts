import * as z from 'zod';
import { ServiceError, type Call, type Operation } from '../kernel/service';
import { assertToken, assertValidName, identify, openSecret, type Context } from './context';
import { parseInput } from '../kernel/shape';
import { incompleteVersion } from './rotation-driver';
import { parseSchedule } from './schedule';
import type { Secret } from './secret';

const rotateShape = z.object({
  SecretId: z.string(),
  ClientRequestToken: z.string().min(32).max(64),
  RotationLambdaARN: z.optional(z.string().max(2048)),
  RotationRules: z.optional(
    z.strictObject({
      AutomaticallyAfterDays: z.optional(z.int()),
      ScheduleExpression: z.optional(z.string().min(1).max(256)),
      Duration: z.optional(z.string()),
    }),
  ),
  RotateImmediately: z.optional(z.boolean()),
});

/**
 * RotateSecret: configures rotation and begins one, whose steps run after the answer.
 *
 * Nothing changes unless the function may be invoked and no earlier rotation is left over; one that is left over is
 * repeated instead.
 */
export function rotateSecret(context: Context): Operation {
  return async (input, call) => {
    assertToken(input, 'InvalidParameterException');
    if (typeof input['SecretId'] === 'string') assertValidName(input['SecretId']);
    const request = parseInput('RotateSecret', rotateShape, input);
    const { driver } = context;
    const immediately = request.RotateImmediately ?? true;
    const secret = openForRotation(context, call, request, immediately);
    const lambdaArn = request.RotationLambdaARN ?? secret.rotation?.lambdaArn;
    if (lambdaArn === undefined)
      throw new ServiceError(
        'InvalidRequestException',
        'No Lambda rotation function ARN is associated with this secret.',
      );
    if (request.RotationRules !== undefined) parseSchedule(request.RotationRules);
    // The same request again, perhaps because its answer was lost: that rotation is under way.
    if (immediately && driver.versionUnderWay(secret) === request.ClientRequestToken)
      return { ...identify(secret), VersionId: request.ClientRequestToken };
    refuseIncomplete(context, secret);
    const mayInvoke = await context.functions.mayInvoke(lambdaArn, secret.arn);
    // Another call may have begun a rotation while the permission was looked up.
    refuseIncomplete(context, secret);
    if (!mayInvoke)
      throw new ServiceError(
        'AccessDeniedException',
        'Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.',
      );

    secret.rotation = {
      lambdaArn,
      rules: request.RotationRules ?? secret.rotation?.rules,
      enabled: true,
      lastRotatedAt: secret.rotation?.lastRotatedAt,
      nextAt: undefined,
      nextBy: undefined,
    };
    secret.changedAt = context.surroundings.clock.now();
    driver.schedule(secret);
    const versionId = request.ClientRequestToken;
    if (!immediately) {
      driver.test(secret, versionId);
      return identify(secret);
    }
    // The same token again is the same rotation, which has ended.
    if (secret.versions.get(versionId)?.value === undefined) driver.begin(secret, versionId);
    return { ...identify(secret), VersionId: versionId };
  };
}

/** CancelRotateSecret: switches rotation off; a version that is AWSPENDING stays so. */
export function cancelRotateSecret(context: Context): Operation {
  return async (input, call) => {
    if (typeof input['SecretId'] === 'string') assertValidName(input['SecretId']);
    const request = parseInput('CancelRotateSecret', z.object({ SecretId: z.string() }), input);
    const secret = openSecret(context, call, 'CancelRotateSecret', request.SecretId);
    if (secret.rotation === undefined)
      throw new ServiceError(
        'InvalidRequestException',
        "You tried to cancel rotation on a secret that doesn't have rotation configured.",
      );
    const versionId = context.driver.versionUnderWay(secret);
    secret.rotation = { ...secret.rotation, enabled: false, nextAt: undefined, nextBy: undefined };
    context.driver.cancel(secret);
    return { ...identify(secret), ...(versionId === undefined ? {} : { VersionId: versionId }) };
  };
}

function openForRotation(
  context: Context,
  call: Call,
  request: z.infer<typeof rotateShape>,
  immediately: boolean,
): Secret {
  return openSecret(context, call, 'RotateSecret', request.SecretId, {
    conditions: {
      'secretsmanager:RotateImmediately': String(immediately),
      ...(request.RotationLambdaARN === undefined
        ? {}
        : { 'secretsmanager:RotationLambdaARN': request.RotationLambdaARN }),
    },
  });
}

function refuseIncomplete(context: Context, secret: Secret): void {
  const pending = incompleteVersion(secret);
  if (pending === undefined) return;
  context.driver.reattempt(secret, pending);
  throw new ServiceError(
    'InvalidRequestException',
    "A previous rotation isn't complete. That rotation will be reattempted.",
  );
}
