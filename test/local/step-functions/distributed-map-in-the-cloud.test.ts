import {
  DescribeMapRunCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { DefinitionBody, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Cloud } from '../../../local/cloud';
import { startCloud } from '../../../local/cloud';

const items = Array.from({ length: 100 }, (_, index) => index);
const folder = mkdtempSync(path.join(tmpdir(), 'rotor-distributed-'));
const arn = (resource: string) => `arn:aws:states:us-east-1:111122223333:${resource}`;
const answerer = 'arn:aws:iam::111122223333:role/answerer';
let cloud: Cloud;
let sfn: SFNClient;

/** Asks every item over a bus, and waits for its token. */
const definition = JSON.stringify({
  QueryLanguage: 'JSONata',
  StartAt: 'Ask all',
  States: {
    'Ask all': {
      Type: 'Map',
      Label: 'Asked',
      Items: '{% $states.input %}',
      ItemSelector: { number: '{% $states.context.Map.Item.Value %}' },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Ask',
        States: {
          Ask: {
            Type: 'Task',
            Resource: 'arn:aws:states:::events:putEvents.waitForTaskToken',
            Arguments: {
              Entries: [
                {
                  EventBusName: 'questions',
                  Source: 'asker',
                  DetailType: 'Question',
                  Detail: { token: '{% $states.context.Task.Token %}', number: '{% $states.input.number %}' },
                },
              ],
            },
            TimeoutSeconds: 600,
            End: true,
          },
        },
      },
      End: true,
    },
  },
});

beforeAll(async () => {
  const app = new App({ outdir: folder, analyticsReporting: false });
  const stack = new Stack(app, 'Asking');
  const bus = new EventBus(stack, 'Bus', { eventBusName: 'questions' });
  // What was received is not received again, however long the answers take.
  const queue = new Queue(stack, 'Queue', { queueName: 'questions', visibilityTimeout: Duration.hours(12) });
  new Rule(stack, 'Rule', {
    eventBus: bus,
    eventPattern: { source: ['asker'] },
    targets: [new SqsQueue(queue)],
  });
  const [granted] = ['granted', 'refused'].map((stateMachineName) => {
    const machine = new StateMachine(stack, stateMachineName, {
      stateMachineName,
      definitionBody: DefinitionBody.fromString(definition),
      role: new Role(stack, `${stateMachineName} role`, {
        assumedBy: new ServicePrincipal('states.amazonaws.com'),
      }),
    });
    bus.grantPutEventsTo(machine);
    return machine;
  });
  granted?.addToRolePolicy(
    new PolicyStatement({ actions: ['states:StartExecution'], resources: [arn('stateMachine:granted')] }),
  );
  new Role(stack, 'Answerer', {
    roleName: 'answerer',
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
  }).addToPolicy(
    new PolicyStatement({ actions: ['states:SendTaskSuccess'], resources: [arn('stateMachine:granted/*')] }),
  );
  app.synth();
  cloud = await startCloud();
  await cloud.deploy(folder);
  const { accessKeyId, secretAccessKey } = cloud.operator;
  sfn = new SFNClient({
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  });
}, 180_000);

afterAll(async () => {
  sfn.destroy();
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('children ask over a bus and are answered by a role that may answer children', async () => {
  const { executionArn } = await cloud.call<{ executionArn: string }>('sfn', 'StartExecution', {
    stateMachineArn: arn('stateMachine:granted'),
    input: JSON.stringify(items),
  });
  const answered: unknown[] = [];
  while (answered.length < items.length) {
    const { Messages = [] } = await cloud.call<{ Messages?: { Body: string }[] }>('sqs', 'ReceiveMessage', {
      QueueUrl: `${cloud.endpoint}/111122223333/questions`,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 1,
    });
    for (const { Body } of Messages) {
      const { detail, resources } = JSON.parse(Body) as {
        detail: { token: string; number: number };
        resources: readonly string[];
      };
      answered.push(resources[1]);
      await cloud.callAs(answerer, 'lambda.amazonaws.com', 'sfn', 'SendTaskSuccess', {
        taskToken: detail.token,
        output: JSON.stringify({ heard: detail.number }),
      });
    }
  }
  const { mapRuns } = await sfn.send(new ListMapRunsCommand({ executionArn }));
  const mapRunArn = mapRuns?.[0]?.mapRunArn;
  const describe = () => sfn.send(new DescribeMapRunCommand({ mapRunArn }));
  let run = await describe();
  for (; run.status === 'RUNNING'; run = await describe()) await pause(10);
  expect(run).toMatchObject({ status: 'SUCCEEDED', itemCounts: { succeeded: items.length } });
  const { output } = await cloud.call<{ output?: string }>('sfn', 'DescribeExecution', { executionArn });
  expect(JSON.parse(output ?? '')).toEqual(items.map((heard) => ({ heard })));
  expect(new Set(answered)).toEqual(new Set([arn('stateMachine:granted/Asked')]));
  const { executions } = await sfn.send(new ListExecutionsCommand({ mapRunArn, maxResults: 1000 }));
  expect((await cloud.children(executionArn)).toSorted()).toEqual(
    (executions ?? []).map((child) => child.executionArn ?? '').toSorted(),
  );
  const histories = (await cloud.readables()).filter(({ place }) => place.startsWith('history '));
  expect(histories).toHaveLength(1 + items.length);
}, 180_000);

test('a machine whose role may not start it starts no child', async () => {
  const { executionArn } = await cloud.call<{ executionArn: string }>('sfn', 'StartExecution', {
    stateMachineArn: arn('stateMachine:refused'),
    input: '[1]',
  });
  const describe = () =>
    cloud.call<{ status: string; error?: string; cause?: string }>('sfn', 'DescribeExecution', {
      executionArn,
    });
  let end = await describe();
  for (; end.status === 'RUNNING'; end = await describe()) await pause(10);
  expect(end).toMatchObject({ status: 'FAILED', error: 'StepFunctions.AWSStepFunctionsException' });
  expect(end.cause).toContain(
    `is not authorized to perform: states:StartExecution on resource: ${arn('stateMachine:refused')}`,
  );
  expect(await cloud.children(executionArn)).toEqual([]);
});
