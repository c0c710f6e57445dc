import * as z from 'zod/mini';
import { changeCalendars } from '../aws/change-calendars';
import { executionsOf } from '../aws/executions';
import { turnParameters } from '../aws/group-turns';
import { policyParameters } from '../aws/policies';
import { secretsManager } from '../aws/secrets';
import { InvocationMalformed } from '../domain/errors';
import { createSecret, createSecretInput } from './create-secret';
import { readEnvironment } from './environment';
import { GroupTurns } from './group-turns';
import { PermissionToBegin } from './permission-to-begin';
import { SecretsManagerSteps } from './secrets-manager-steps';
import { task } from './task';

const environment = readEnvironment('rotation');
const secrets = secretsManager();
const executions = executionsOf(environment.STATE_MACHINE_ARN);
const time = {
  now: Date.now,
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
const steps = new SecretsManagerSteps({
  secrets,
  waiting: secretsManager('rotor-waiting'),
  executions,
  permission: new PermissionToBegin({
    policies: policyParameters(),
    calendars: changeCalendars(),
    turns: new GroupTurns({ turns: turnParameters(), executions, ...time }),
    executions,
  }),
  ...time,
});

/** What Secrets Manager sends, one step an invocation. RotationToken is sensitive and left out on purpose. */
const stepInput = z.object({
  Step: z.enum(['createSecret', 'setSecret', 'testSecret', 'finishSecret']),
  SecretId: z.string(),
  ClientRequestToken: z.string(),
});

/**
 * The function that Secrets Manager rotates with, and that the workflow's CreateSecret task invokes in turn.
 *
 * Secrets Manager asks for four steps and waits for each; this function starts the workflow and says how far it is. Only
 * the workflow's own request writes anything.
 */
export const handler = task('rotation', z.union([createSecretInput, stepInput]), async (input, context) => {
  if ('task' in input) return await createSecret(secrets, input, context);
  if (!input.SecretId.startsWith('arn:')) throw new InvocationMalformed('rotation: SecretId is not an ARN');
  const step = { secretArn: input.SecretId, token: input.ClientRequestToken };
  await steps[input.Step](step, () => context.getRemainingTimeInMillis());
  return {};
});
