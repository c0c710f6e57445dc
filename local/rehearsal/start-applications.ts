import { setTimeout as pause } from 'node:timers/promises';
import type { Cloud } from '../cloud';
import type { DeployedStack } from '../cloudformation/deploy-stack';
import type { RehearsalTarget } from '../targets/target';
import { startFunction, startService, type Application } from './applications';
import { applicationNames, type ApplicationName, type RehearsalOptions } from './options';
import { secretName } from './seeding';

/** Starting takes seconds, and many where all processors are at work; only an application that hangs is given up. */
const patienceMs = 120_000;

/** Starts the three applications of the example, and waits until each has got to its data. */
export async function startApplications(
  cloud: Cloud,
  stacks: ReadonlyMap<string, DeployedStack>,
  target: RehearsalTarget,
  options: RehearsalOptions,
  restMs: number,
  slowMs = 400,
): Promise<readonly Application[]> {
  const consumers = stacks.get('RotorConsumers')?.outputs ?? {};
  const place = { endpoint: cloud.endpoint, region: cloud.region, secretId: secretName, target };
  const service = (name: ApplicationName, output: string, slowMs: number) =>
    startService(
      name,
      place,
      cloud.assume(consumers[`${output}RoleArn`] ?? '', 'ecs-tasks.amazonaws.com', name),
      consumers[`${output}QueueUrl`] ?? '',
      { restMs, slowMs, refuses: options.refuse === name, silent: options.silent === name },
    );
  const FunctionName = consumers['ReportsFunctionName'] ?? '';
  const invoke = async () => {
    const { FunctionError, Payload } = await cloud.call<{ FunctionError?: string; Payload: string }>(
      'lambda',
      'Invoke',
      { FunctionName, Payload: '{}' },
    );
    if (FunctionError === undefined) return;
    const error = new Error('the function answered with an error');
    error.name = (JSON.parse(Payload) as { errorType?: string }).errorType ?? FunctionError;
    throw error;
  };
  const applications = await Promise.all([
    service('orders', 'Orders', 0),
    Promise.resolve(startFunction('reports', invoke, restMs)),
    service('billing', 'Billing', slowMs),
  ]);
  const until = Date.now() + patienceMs;
  while (applications.some((application) => application.counts().queries === 0)) {
    if (Date.now() > until)
      throw new Error(`an application does not get to its data: ${applicationNames.join(', ')}`);
    await pause(10);
  }
  return applications;
}
