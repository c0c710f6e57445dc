import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { detailTypes } from '../../domain/events';
import { PolicyInvalid } from '../../domain/errors';
import { parseEnrolment } from '../../domain/policy';
import { RotationConsumer, type RotationConsumerProps } from '../../infra/rotation-consumer';
import { allowedTo, exampleTemplates, type Json, resource, resources, stack, written } from './templates';

function consumerIn(scope = stack(), props: Partial<RotationConsumerProps> = {}): RotationConsumer {
  return new RotationConsumer(scope, 'Consumer', {
    consumer: 'orders',
    secretName: 'team/app',
    target: { kind: 'queue' },
    ...props,
  });
}

function template(props: Partial<RotationConsumerProps> = {}): Template {
  const scope = stack();
  consumerIn(scope, props);
  return Template.fromStack(scope);
}

function targetOf(made: Template): Json {
  const [target] = resource(made, 'AWS::Events::Rule').Properties['Targets'] as readonly Json[];
  return target ?? {};
}

describe('enrolment', () => {
  it('is a parameter below the secret’s path, with what was said and no more', () => {
    const parameter = resource(template({ enrolment: { wave: 2 } }), 'AWS::SSM::Parameter').Properties;
    expect(parameter['Name']).toBe('/rotor/secrets/team_2fapp/consumers/orders');
    expect(parameter['Value']).toBe('{"wave":2}');
    expect(parseEnrolment('{"wave":2}', 'the parameter').wave).toBe(2);
  });

  it('is refused by name when it holds a wrong value', () => {
    const wrong = () => template({ enrolment: { wave: 0 } });
    expect(wrong).toThrow(PolicyInvalid);
    expect(wrong).toThrow(/orders: field wave/);
  });

  it('takes effect when the way to the application is there', () => {
    const made = template();
    expect(resource(made, 'AWS::SSM::Parameter').DependsOn).toContain(resource(made, 'AWS::Events::Rule').id);
  });
});

describe('requests', () => {
  it('come to the one consumer that they are for', () => {
    const rule = resource(template(), 'AWS::Events::Rule').Properties;
    expect(rule['EventBusName']).toBe('rotor');
    expect(rule['EventPattern']).toEqual({
      source: ['rotor'],
      'detail-type': [detailTypes.refreshRequested],
      detail: { consumer: ['orders'], secret: { name: ['team/app'] } },
    });
  });

  it('come from the bus that is named', () => {
    expect(resource(template({ busName: 'other' }), 'AWS::Events::Rule').Properties['EventBusName']).toBe(
      'other',
    );
  });

  it('go to a queue that is encrypted, over TLS, and gives up after three attempts', () => {
    const made = template();
    const deadLetters =
      resources(made, 'AWS::SQS::Queue').find(({ id }) => id.includes('DeadLetters'))?.id ?? '';
    const queue = resource(made, 'AWS::SQS::Queue', 'RedrivePolicy');
    expect(queue.Properties).toMatchObject({
      SqsManagedSseEnabled: true,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters, 'Arn'] }, maxReceiveCount: 3 },
    });
    expect(written(targetOf(made)['Arn'])).toBe(`<${queue.id}.Arn>`);
    expect(targetOf(made)['DeadLetterConfig']).toEqual({ Arn: { 'Fn::GetAtt': [deadLetters, 'Arn'] } });
    const policies = resources(made, 'AWS::SQS::QueuePolicy').map(({ Properties }) =>
      JSON.stringify(Properties),
    );
    expect(policies).toHaveLength(2);
    for (const policy of policies) expect(policy).toContain('"aws:SecureTransport":"false"');
  });

  it('are not delivered once their deadline has passed', () => {
    const ages = [30, 300, 604_800].map(
      (deadlineSeconds) => targetOf(template({ enrolment: { deadlineSeconds } }))['RetryPolicy'],
    );
    expect(ages).toEqual([
      { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 185 },
      { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 185 },
      { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
    ]);
  });

  it('invoke a function that lets this one rule in', () => {
    const scope = stack();
    const code = Code.fromInline('exports.handler = async () => {}');
    const target = new LambdaFunction(scope, 'F', {
      code,
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
    });
    consumerIn(scope, { target: { kind: 'function', function: target } });
    const made = Template.fromStack(scope);
    expect(written(targetOf(made)['Arn'])).toMatch(/^<F/);
    const permission = resource(made, 'AWS::Lambda::Permission').Properties;
    expect(permission['Principal']).toBe('events.amazonaws.com');
    expect(written(permission['SourceArn'])).toBe(`<${resource(made, 'AWS::Events::Rule').id}.Arn>`);
  });

  it('go to a bus in another account through a role that may put events there', () => {
    const busArn = 'arn:aws:events:eu-central-1:444455556666:event-bus/team';
    const made = template({ target: { kind: 'bus', busArn } });
    expect(targetOf(made)).toMatchObject({ Arn: busArn, RoleArn: expect.anything() as unknown });
    const [policy] = resources(made, 'AWS::IAM::Policy');
    expect(JSON.stringify(policy?.Properties['PolicyDocument'])).toContain(busArn);
    expect(resources(made, 'AWS::SQS::Queue')).toHaveLength(1);
  });
});

describe('the consumer’s role', () => {
  it('may read its secret, acknowledge and listen, and nothing else', () => {
    const scope = stack();
    const assumedBy = new ServicePrincipal('ecs-tasks.amazonaws.com');
    consumerIn(scope).grantConsume(new Role(scope, 'Role', { assumedBy, description: 'Role of orders' }));
    const made = Template.fromStack(scope);
    const queue = resource(made, 'AWS::SQS::Queue', 'RedrivePolicy').id;
    expect(allowedTo(made, 'Role of orders')).toEqual([
      {
        effect: 'Allow',
        actions: ['secretsmanager:GetSecretValue'],
        resources: [
          'arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:team/app-??????',
        ],
        condition: undefined,
      },
      {
        effect: 'Allow',
        actions: ['events:PutEvents'],
        resources: ['arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:event-bus/rotor'],
        condition: {
          StringEquals: {
            'events:source': 'rotor.consumer',
            'events:detail-type': detailTypes.refreshAcknowledged,
          },
        },
      },
      {
        effect: 'Allow',
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
        resources: [`<${queue}.Arn>`],
        condition: undefined,
      },
    ]);
  });
});

describe('the example’s consumers', () => {
  const { rotor, consumers } = exampleTemplates();

  it('know Rotor by names alone: neither stack exports or imports anything', () => {
    for (const made of [rotor, consumers]) {
      const text = JSON.stringify(made.toJSON());
      expect(text).not.toContain('Fn::ImportValue');
      expect(text).not.toContain('"Export"');
    }
  });

  it('are two services with queues and a function, in two waves', () => {
    const waves = resources(consumers, 'AWS::SSM::Parameter').map(({ Properties }) => [
      String(Properties['Name']).split('/').at(-1),
      parseEnrolment(String(Properties['Value']), 'the parameter').wave,
    ]);
    expect(Object.fromEntries(waves)).toEqual({ orders: 1, reports: 1, billing: 2 });
    const targets = resources(consumers, 'AWS::Events::Rule').map(({ Properties }) =>
      written((Properties['Targets'] as readonly Json[])[0]?.['Arn']).replace(/[0-9A-F]{8}\.Arn/, ''),
    );
    expect(targets.sort()).toEqual(['<BillingQueue>', '<OrdersQueue>', '<ReportsFunction>']);
  });
});
