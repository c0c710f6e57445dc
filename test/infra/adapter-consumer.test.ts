import { Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { FargateService } from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AdapterConsumer, type AdapterConsumerProps } from '../../infra/adapter-consumer';
import { EcsServiceConsumer } from '../../infra/ecs-service-consumer';
import { LambdaFunctionConsumer } from '../../infra/lambda-function-consumer';
import { allowedTo, type Json, newApp, resource, resources, stack, written } from './templates';

const service = 'arn:aws:ecs:us-east-1:111122223333:service/shop/orders';

function adapted(props: Partial<AdapterConsumerProps<'ecs'>> = {}) {
  const scope = stack();
  const consumer = new AdapterConsumer(scope, 'Orders', {
    consumer: 'orders',
    secretName: 'shop/db',
    adapter: 'ecs',
    settings: { service },
    ...props,
  });
  return { scope, consumer, template: () => Template.fromStack(scope) };
}

const variablesOf = (properties: Json) =>
  (properties['Environment'] as { readonly Variables: Readonly<Record<string, unknown>> }).Variables;

/** The description of an adapter's role, by which the tests find it. */
function roleOf(template: Template): string {
  return String(resource(template, 'AWS::IAM::Role', 'rotor-adapter-').Properties['Description']);
}

test('an application is enrolled with a function as the target of its requests', () => {
  const template = adapted({ enrolment: { wave: 2 } }).template();
  const fn = resource(template, 'AWS::Lambda::Function', 'rotor-adapter-orders-');
  expect(fn.Properties).toMatchObject({ Timeout: 900, MemorySize: 256, Architectures: ['arm64'] });
  expect(variablesOf(fn.Properties)).toEqual({
    CONSUMER: 'orders',
    SECRET_NAME: 'shop/db',
    BUS_NAME: 'rotor',
    SETTINGS: JSON.stringify({ service, failedTasks: 5 }),
  });
  const rule = resource(template, 'AWS::Events::Rule');
  expect(JSON.stringify(rule.Properties['Targets'])).toContain(fn.id);
  expect(resource(template, 'AWS::SSM::Parameter').Properties['Value']).toBe('{"wave":2}');
});

test('Lambda tries an event twice more, within an hour, and keeps it then', () => {
  const template = adapted().template();
  const config = resource(template, 'AWS::Lambda::EventInvokeConfig');
  expect(config.Properties).toMatchObject({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3600 });
  const fn = resource(template, 'AWS::Lambda::Function');
  expect(fn.Properties['DeadLetterConfig']).toBeDefined();
});

test('the role reads labels, acknowledges, and does what the adapter needs; it reads no value', () => {
  const template = adapted().template();
  const statements = allowedTo(template, roleOf(template));
  expect(statements.flatMap(({ actions }) => actions).sort()).toEqual(
    [
      'ecs:DescribeServices',
      'ecs:TagResource',
      'ecs:UpdateService',
      'events:PutEvents',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:DescribeSecret',
      'sqs:SendMessage',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ].sort(),
  );
  const resourcesOf = (action: string) =>
    statements.find(({ actions }) => actions.includes(action))?.resources;
  expect(resourcesOf('ecs:UpdateService')).toEqual([service]);
  expect(resourcesOf('secretsmanager:DescribeSecret')?.[0]).toMatch(/:secret:shop\/db-\?{6}$/);
});

test('whoever is enrolled is waited for, so the function and its rights come first', () => {
  const template = adapted().template();
  const { DependsOn = [] } = resource(template, 'AWS::SSM::Parameter');
  const needed = [
    ...resources(template, 'AWS::Events::Rule'),
    ...resources(template, 'AWS::IAM::Policy'),
    ...resources(template, 'AWS::Lambda::EventInvokeConfig'),
    resource(template, 'AWS::Lambda::Function'),
  ];
  expect(DependsOn).toEqual(expect.arrayContaining(needed.map(({ id }) => id)));
});

test('a phase in which a version is tried before it is current is refused by name', () => {
  expect(() => adapted({ enrolment: { phase: 'verify' } })).toThrow('Orders: VerifyUnsupported: ');
});

test('settings that are wrong are refused when the app is synthesised', () => {
  expect(() => adapted({ settings: { service, failedTasks: 0 } })).toThrow('field failedTasks');
});

test('functions of several applications have names of their own, however long those are', () => {
  const names = ['a'.repeat(80), `${'a'.repeat(80)}b`].map((consumer) =>
    String(resource(adapted({ consumer }).template(), 'AWS::Lambda::Function').Properties['FunctionName']),
  );
  expect(new Set(names).size).toBe(2);
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9-_]{1,64}$/);
});

test('an ECS service and a Lambda alias are taken as CDK has them, and cdk-nag finds nothing', () => {
  const app = newApp();
  const scope = stack('Adapted', app);
  const fn = new LambdaFunction(scope, 'Fn', {
    code: Code.fromInline('exports.handler = async () => 1;'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    role: new Role(scope, 'FnRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }),
  });
  const common = { secretName: 'shop/db' };
  const imported = FargateService.fromFargateServiceArn(scope, 'Service', service);
  new EcsServiceConsumer(scope, 'Orders', {
    ...common,
    consumer: 'orders',
    service: imported,
    settleSeconds: 90,
  });
  new LambdaFunctionConsumer(scope, 'Reports', {
    ...common,
    consumer: 'reports',
    function: fn,
    alias: { aliasName: 'live' },
  });
  new LambdaFunctionConsumer(scope, 'Jobs', { ...common, consumer: 'jobs', function: fn });
  // Synthesis fails with whatever it finds.
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  const template = Template.fromStack(scope);
  const settings = (name: string) =>
    written(variablesOf(resource(template, 'AWS::Lambda::Function', name).Properties)['SETTINGS']);
  expect(JSON.parse(settings('rotor-adapter-orders-'))).toEqual({
    service,
    failedTasks: 5,
    settleSeconds: 90,
  });
  expect(settings('rotor-adapter-reports-')).toMatch(/^\{"function":"<Fn.*\.Arn>","alias":"live"/);
  expect(settings('rotor-adapter-jobs-')).not.toContain('alias');
});
