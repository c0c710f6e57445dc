import { type App, Stack, Validations } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { RemoteConsumer } from '../../infra/remote-consumer';
import { RequestBus } from '../../infra/request-bus';
import { RotationConsumer } from '../../infra/rotation-consumer';
import { parsePolicy } from '../../domain/policy';
import { rotatorNames, rotators } from '../../rotators/registry';
import {
  example,
  exampleTemplates,
  type Json,
  orchestratorIn,
  resource,
  resources,
  stack,
  written,
} from './templates';

/** What the embedded cloud has to deploy; a type that comes to this list has to come to its handlers too. */
const resourceTypes = [
  'AWS::CloudWatch::Alarm',
  'AWS::Events::Archive',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  'AWS::Lambda::Function',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::Queue',
  'AWS::SQS::QueuePolicy',
  'AWS::SSM::Parameter',
  'AWS::SecretsManager::RotationSchedule',
  'AWS::SecretsManager::Secret',
  'AWS::StepFunctions::StateMachine',
];

const deployment = ['CDK_DEFAULT_ACCOUNT', 'CDK_DEFAULT_REGION', 'CDK_VALIDATION'] as const;

describe('the example', () => {
  const saved = deployment.map((name) => [name, process.env[name]] as const);
  afterEach(() => {
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it('passes cdk-nag’s AwsSolutions pack and CloudFormation’s own rules without an account', () => {
    for (const name of deployment) delete process.env[name];
    expect(
      example()
        .synth()
        .stacks.map(({ stackName }) => stackName),
    ).toEqual(['RotorStack', 'RotorConsumers']);
  });

  it('passes them for an account and region too', () => {
    process.env['CDK_DEFAULT_ACCOUNT'] = '111122223333';
    process.env['CDK_DEFAULT_REGION'] = 'eu-central-1';
    delete process.env['CDK_VALIDATION'];
    expect(example().synth().getStackByName('RotorStack').environment).toMatchObject({
      account: '111122223333',
      region: 'eu-central-1',
    });
  });

  it('names no partition, so that it is deployed in China and in GovCloud too', () => {
    const { rotor, consumers } = exampleTemplates();
    for (const template of [rotor, consumers])
      expect(JSON.stringify(template.toJSON()).match(/arn:aws[\w-]*:[\w-]*:/g) ?? []).toEqual([]);
  });

  it('would not pass with a queue that anybody may read in the clear', () => {
    const app = example();
    new Queue(new Stack(app, 'Careless'), 'Queue');
    const quiet = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const silent = jest.spyOn(console, 'error').mockReturnValue();
    try {
      expect(() => app.synth()).toThrow(/[Vv]alidation/);
    } finally {
      quiet.mockRestore();
      silent.mockRestore();
      process.exitCode = 0;
    }
  });

  it('accepts no finding that there is not', () => {
    const app = widened();
    const accepted = app.node.findAll().flatMap(({ node }) =>
      node.metadata
        .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
        .flatMap(({ data }) => Object.keys(data as Json))
        .map((finding) => [node.path, finding.replace(/^Annotation::/, '')] as const),
    );
    const keys: { ACKNOWLEDGED_RULES_METADATA_KEY: string } = Validations;
    const deaf = jest.replaceProperty(keys, 'ACKNOWLEDGED_RULES_METADATA_KEY', 'nothing');
    const { violations } = new AwsSolutionsChecks().validateScope(app);
    deaf.restore();
    const found = violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath = '' }) => [constructPath, ruleName] as const),
    );
    const needless = accepted.filter(
      ([where, finding]) => !found.some(([at, rule]) => rule === finding && at.startsWith(`${where}/`)),
    );
    expect(accepted.length).toBeGreaterThan(10);
    expect(needless).toEqual([]);
  });

  it('passes with functions in a VPC, and with a consumer in another account', () => {
    expect(widened().synth().stacks).toHaveLength(3);
  });

  /** The example and a third stack, with what the first two leave out. */
  function widened(): App {
    const app = example();
    const scope = stack('Placed', app);
    const vpc = Vpc.fromVpcAttributes(scope, 'Vpc', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['eu-central-1a'],
      privateSubnetIds: ['subnet-0123456789abcdef0'],
    });
    orchestratorIn(scope, { network: { vpc }, consumerAccounts: ['444455556666'] });
    new RotationConsumer(scope, 'Consumer', {
      consumer: 'far',
      secretName: 'team/app',
      target: { kind: 'bus', busArn: 'arn:aws:events:eu-central-1:444455556666:event-bus/team' },
    });
    const rotorBusArn = 'arn:aws:events:eu-central-1:111122223333:event-bus/rotor';
    new RemoteConsumer(scope, 'Remote', {
      consumer: 'near',
      secretName: 'team/app',
      secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:team/app-AbCdEf',
      encryptionKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234',
      rotorBusArn,
      requestBus: new RequestBus(scope, 'RequestBus', { rotorBusArn }).bus,
      target: { kind: 'queue' },
    });
    return app;
  }

  it('is made of the resource types that the embedded cloud deploys', () => {
    const { rotor, consumers } = exampleTemplates();
    const types = [rotor, consumers].flatMap((made) =>
      Object.values(made.toJSON()['Resources'] as Readonly<Record<string, { readonly Type: string }>>).map(
        ({ Type }) => Type,
      ),
    );
    expect([...new Set(types)].sort()).toEqual(resourceTypes);
  });

  it.each(rotatorNames)('rotates by %s when asked to', (rotator) => {
    const { rotor } = exampleTemplates({ rotator });
    const parameter = resource(rotor, 'AWS::SSM::Parameter').Properties;
    expect(parsePolicy(written(parameter['Value']), 'the parameter').rotator).toBe(rotator);
    const app = resource(rotor, 'AWS::SecretsManager::Secret', '"example/app"').Properties;
    const { SecretStringTemplate } = app['GenerateSecretString'] as Json;
    const shape = JSON.parse(written(SecretStringTemplate)) as Json;
    const { example } = rotators[rotator];
    expect(shape).toMatchObject(example.secret);
    expect('masterarn' in shape).toBe(example.adminMember === 'masterarn');
  });

  it('refuses a rotator that does not exist, by name', () => {
    expect(() => example({ rotator: 'mongo' })).toThrow(/no rotator mongo/);
  });

  it('subscribes the address that it is given', () => {
    const { rotor } = exampleTemplates({ alertEmail: 'on-call@example.com' });
    expect(resource(rotor, 'AWS::SNS::Subscription').Properties).toMatchObject({
      Protocol: 'email',
      Endpoint: 'on-call@example.com',
    });
  });

  it('puts no secret value into a template', () => {
    const { rotor } = exampleTemplates();
    for (const { Properties } of resources(rotor, 'AWS::SecretsManager::Secret')) {
      expect(Properties).not.toHaveProperty('SecretString');
      expect(written((Properties['GenerateSecretString'] as Json)['SecretStringTemplate'])).not.toContain(
        'password',
      );
    }
  });
});
