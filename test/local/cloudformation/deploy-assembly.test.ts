import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { DefinitionBody, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { deployAssembly, type Deployment } from '../../../local/cloudformation/deploy-assembly';
import { createAuthorize } from '../../../local/iam/authorize';
import type { Operation } from '../../../local/kernel/service';
import { LambdaService } from '../../../local/lambda/lambda-service';
import { RecordedCloud } from './recorded-cloud';

const folder = mkdtempSync(join(tmpdir(), 'rotor-assembly-'));
const cloud = new RecordedCloud();
const { surroundings, roles, assets } = cloud;
const operator = {
  principal: cloud.ports.operator,
  requestId: 'r',
  userAgent: 'test',
  conditions: {},
} as const;
const lambda = new LambdaService(
  { ...surroundings, authorize: createAuthorize({ ...surroundings, roles }) },
  {
    endpoint: () => 'http://127.0.0.1:1',
    assume: (roleArn, service, session) => roles.assume(roleArn, service, session),
    appendLog: () => undefined,
    locateCode: (bucket, key) => assets.locateCode(bucket, key),
  },
);
let deployment: Deployment;

/** Two stacks: the consumer refers to the producer, so it is deployed second though it is declared first. */
function synthesise(): void {
  const code = join(folder, 'code');
  mkdirSync(code);
  writeFileSync(
    join(code, 'index.js'),
    `exports.handler = async () => ({ topic: process.env.TOPIC_ARN, role: process.env.AWS_ACCESS_KEY_ID.slice(0, 4) });`,
  );
  const definition = join(folder, 'machine.asl.json');
  writeFileSync(
    definition,
    '{"StartAt":"Done","States":{"Done":{"Type":"Succeed","Comment":"${FunctionArn}"}}}',
  );

  const app = new App({ outdir: join(folder, 'cdk.out'), analyticsReporting: false });
  const consumer = new Stack(app, 'Consumer');
  const producer = new Stack(app, 'Producer');
  const topic = new Topic(producer, 'Topic', { topicName: 'news' });
  const fn = new LambdaFunction(producer, 'Fn', {
    code: Code.fromAsset(code),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_22_X,
    environment: { TOPIC_ARN: topic.topicArn },
    timeout: Duration.seconds(20),
    functionName: 'announcer',
  });
  topic.grantPublish(fn);
  fn.addPermission('SecretsManager', {
    principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
    sourceAccount: producer.account,
  });
  const machine = new StateMachine(producer, 'Machine', {
    definitionBody: DefinitionBody.fromFile(definition),
    definitionSubstitutions: { FunctionArn: fn.functionArn },
  });
  machine.addToRolePolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources: ['*'] }));
  new Rule(producer, 'Rule', {
    eventPattern: { source: ['rotor'] },
    targets: [new SfnStateMachine(machine)],
  });
  new Secret(producer, 'Secret', { secretName: 'app' });
  const queue = new Queue(consumer, 'Queue', { enforceSSL: true });
  topic.addSubscription(new SqsSubscription(queue));
  new CfnOutput(consumer, 'QueueArn', { value: queue.queueArn });
  app.synth();
}

beforeAll(async () => {
  for (const [name, operation] of Object.entries(lambda.operations) as [string, Operation][])
    cloud.instead.set(`lambda:${name}`, (input) => operation(input, operator));
  synthesise();
  deployment = await deployAssembly(join(folder, 'cdk.out'), cloud.ports);
});
afterAll(async () => {
  await lambda.close();
  rmSync(folder, { recursive: true, force: true });
});

test('stacks are deployed in the order of their dependencies', () => {
  expect([...deployment.stacks.keys()]).toEqual(['Producer', 'Consumer']);
  expect(deployment.stacks.get('Consumer')?.outputs['QueueArn']).toMatch(
    /^arn:aws:sqs:us-east-1:111122223333:Consumer-Queue\w+-[A-Z0-9]{12}$/,
  );
});

test('the deployed function runs from its asset, with the variables that the template resolved', async () => {
  const answer = await lambda.operations.Invoke({ FunctionName: 'announcer' }, operator);
  expect(JSON.parse(String('Payload' in answer ? answer.Payload : ''))).toEqual({
    topic: 'arn:aws:sns:us-east-1:111122223333:news',
    role: 'ASIA',
  });
});

test('the function’s permission lets the service in for this account and for no other', async () => {
  const principal = {
    kind: 'service',
    service: 'secretsmanager.amazonaws.com',
    account: '111122223333',
  } as const;
  const ask = (sourceAccount: string) =>
    lambda.operations.Invoke(
      { FunctionName: 'announcer', InvocationType: 'DryRun' },
      { ...operator, principal, conditions: { 'aws:SourceAccount': sourceAccount } },
    );
  await expect(ask('111122223333')).resolves.toMatchObject({ StatusCode: 204 });
  await expect(ask('999999999999')).rejects.toMatchObject({ code: 'AccessDeniedException' });
});

test('the role of the function may publish to the topic, as the construct granted it', () => {
  const authorize = createAuthorize({ ...surroundings, roles });
  const roleArn = String(
    Object.values(deployment.stacks.get('Producer')?.resources ?? {}).find(
      ({ type, physicalId }) => type === 'AWS::IAM::Role' && physicalId.includes('Fn'),
    )?.attributes['Arn'],
  );
  const principal = { kind: 'role', arn: roleArn, account: '111122223333', roleArn } as const;
  const ask = (resource: string) => () =>
    authorize({ ...operator, principal }, { action: 'sns:Publish', resource });
  expect(ask('arn:aws:sns:us-east-1:111122223333:news')).not.toThrow();
  expect(ask('arn:aws:sns:us-east-1:111122223333:other')).toThrow();
});

test('the state machine’s definition is read from its asset and filled in', () => {
  const [machine] = cloud.inputs('sfn:CreateStateMachine');
  expect(JSON.parse(String(machine?.['definition']))).toMatchObject({
    States: { Done: { Comment: 'arn:aws:lambda:us-east-1:111122223333:function:announcer' } },
  });
});

test('an assembly whose asset is missing is refused with its path', async () => {
  const copy = mkdtempSync(join(tmpdir(), 'rotor-assembly-'));
  writeFileSync(
    join(copy, 'manifest.json'),
    JSON.stringify({ artifacts: { A: { type: 'cdk:asset-manifest', properties: { file: 'a.json' } } } }),
  );
  const destinations = { here: { bucketName: 'b', objectKey: 'k' } };
  writeFileSync(
    join(copy, 'a.json'),
    JSON.stringify({ files: { hash: { source: { path: 'asset.hash', packaging: 'zip' }, destinations } } }),
  );
  await expect(deployAssembly(copy, cloud.ports)).rejects.toThrow(join(copy, 'asset.hash'));
  rmSync(copy, { recursive: true });
});
