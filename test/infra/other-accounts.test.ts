import { Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { detailTypes } from '../../domain/events';
import { principalsOf } from '../../infra/other-accounts';
import { RemoteConsumer, type RemoteConsumerProps } from '../../infra/remote-consumer';
import { RequestBus } from '../../infra/request-bus';
import { RotationConsumer } from '../../infra/rotation-consumer';
import { letOthersRead } from '../../infra/secret-readers';
import {
  allowedTo,
  type Json,
  newApp,
  orchestratorIn,
  resource,
  resources,
  rotatedSecretIn,
  stack,
  statements,
  written,
} from './templates';

const rotorBusArn = 'arn:aws:events:eu-central-1:111122223333:event-bus/rotor';
const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:team/app-AbCdEf';
const encryptionKeyArn = 'arn:aws:kms:eu-central-1:111122223333:key/1234';

/** A stack of the other account. */
function theirs(): Stack {
  return new Stack(newApp(), 'Team', { env: { account: '444455556666', region: 'eu-central-1' } });
}

function remoteIn(scope: Stack, props: Partial<RemoteConsumerProps> = {}): RemoteConsumer {
  return new RemoteConsumer(scope, 'Consumer', {
    consumer: 'orders',
    secretName: 'team/app',
    secretArn,
    encryptionKeyArn,
    rotorBusArn,
    requestBus: EventBus.fromEventBusName(scope, 'Bus', 'rotor-requests'),
    target: { kind: 'queue' },
    ...props,
  });
}

describe('a bus for requests', () => {
  it('takes requests that rules of Rotor’s account bring, and nothing else', () => {
    const scope = theirs();
    new RequestBus(scope, 'RequestBus', { rotorBusArn });
    const { Properties } = resource(Template.fromStack(scope), 'AWS::Events::EventBusPolicy');
    expect(Properties['Statement']).toEqual({
      Sid: 'cdk-RequestsOfRotor',
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Principal: {
        AWS: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::111122223333:root']] },
      },
      Resource: { 'Fn::GetAtt': [expect.stringContaining('RequestBus') as string, 'Arn'] },
      Condition: {
        StringEquals: {
          'events:source': 'rotor',
          'events:detail-type': detailTypes.refreshRequested,
          'events:eventBusInvocation': 'true',
        },
      },
    });
  });

  it.each(['rotor', 'arn:aws:sqs:eu-central-1:111122223333:rotor', 'arn:aws:events:r:1:event-bus/rotor'])(
    'is not made for the bus %s, whose account nobody could tell',
    (wrong) => {
      expect(() => new RequestBus(theirs(), 'RequestBus', { rotorBusArn: wrong })).toThrow(/rotorBusArn/);
    },
  );
});

describe('a consumer in another account', () => {
  it('hears its own requests, if they came from Rotor’s account', () => {
    const scope = theirs();
    remoteIn(scope);
    const rule = resource(Template.fromStack(scope), 'AWS::Events::Rule').Properties;
    expect(rule['EventBusName']).toBe('rotor-requests');
    expect(rule['EventPattern']).toEqual({
      account: ['111122223333'],
      source: ['rotor'],
      'detail-type': [detailTypes.refreshRequested],
      detail: { consumer: ['orders'], secret: { name: ['team/app'] } },
    });
    expect(rule['Targets']).toMatchObject([
      { RetryPolicy: { MaximumEventAgeInSeconds: 900, MaximumRetryAttempts: 185 } },
    ]);
  });

  it('may read the secret under its key, acknowledge to Rotor’s bus and listen, and nothing else', () => {
    const scope = theirs();
    const assumedBy = new ServicePrincipal('ecs-tasks.amazonaws.com');
    remoteIn(scope).grantConsume(new Role(scope, 'Role', { assumedBy, description: 'Role of orders' }));
    const made = Template.fromStack(scope);
    const queue = resource(made, 'AWS::SQS::Queue', 'RedrivePolicy').id;
    expect(allowedTo(made, 'Role of orders')).toEqual([
      {
        effect: 'Allow',
        actions: ['secretsmanager:GetSecretValue'],
        resources: [secretArn],
        condition: undefined,
      },
      {
        effect: 'Allow',
        actions: ['kms:Decrypt'],
        resources: [encryptionKeyArn],
        condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' } },
      },
      {
        effect: 'Allow',
        actions: ['events:PutEvents'],
        resources: [rotorBusArn],
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

  it('is refused a secret that it could never read: without a key, or by half of its ARN', () => {
    const without = (leftOut: Partial<RemoteConsumerProps>) => () => {
      const { encryptionKeyArn: _key, ...props } = { encryptionKeyArn, ...leftOut };
      const scope = theirs();
      new RemoteConsumer(scope, 'Consumer', {
        consumer: 'orders',
        secretName: 'team/app',
        rotorBusArn,
        requestBus: EventBus.fromEventBusName(scope, 'Bus', 'rotor-requests'),
        target: { kind: 'queue' },
        secretArn,
        ...props,
      });
    };
    expect(without({})).toThrow(/customer-managed key alone/);
    expect(without({ secretArn: secretArn.replace('111122223333', '444455556666') })).not.toThrow();
    expect(without({ secretArn: secretArn.replace(/-\w+$/, '') })).toThrow(/the complete ARN of team\/app/);
  });
});

describe('the half in Rotor’s account', () => {
  it('expects the answers from the account that the requests go to, unless it is told otherwise', () => {
    const value = (account: string, enrolment = {}) => {
      const scope = new Stack(newApp(), 'Stack', {
        env: { account: '111122223333', region: 'eu-central-1' },
      });
      new RotationConsumer(scope, 'Consumer', {
        consumer: 'orders',
        secretName: 'team/app',
        target: { kind: 'bus', busArn: `arn:aws:events:eu-central-1:${account}:event-bus/rotor-requests` },
        enrolment,
      });
      return resource(Template.fromStack(scope), 'AWS::SSM::Parameter').Properties['Value'];
    };
    expect(value('444455556666')).toBe('{"account":"444455556666"}');
    expect(value('444455556666', { wave: 2 })).toBe('{"account":"444455556666","wave":2}');
    expect(value('444455556666', { account: '777788889999' })).toBe('{"account":"777788889999"}');
    expect(value('111122223333')).toBe('{}');
  });

  it('takes acknowledgements of many accounts by one statement, and of an organisation by its id', () => {
    const scope = stack();
    const consumerAccounts = Array.from({ length: 150 }, (_, index) => String(100_000_000_000 + index));
    orchestratorIn(scope, { consumerAccounts, consumerOrganizationId: 'o-abcdefghij' });
    const made = resources(Template.fromStack(scope), 'AWS::Events::EventBusPolicy').map(
      ({ Properties }) => Properties['Statement'] as Json,
    );
    const conditions = {
      'events:source': 'rotor.consumer',
      'events:detail-type': detailTypes.refreshAcknowledged,
    };
    expect(made.map(({ Sid, Condition }) => [Sid, Condition])).toEqual([
      ['cdk-AcknowledgementsOfAccounts', { StringEquals: conditions }],
      [
        'cdk-AcknowledgementsOfOrganization',
        { StringEquals: { ...conditions, 'aws:PrincipalOrgID': 'o-abcdefghij' } },
      ],
    ]);
    const deployed = JSON.stringify(made).replaceAll(
      /\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},":iam::(\d+):root"\]\]\}/g,
      '"arn:aws:iam::$1:root"',
    );
    expect(deployed.length).toBeLessThan(10_240);
  });

  it.each([
    [{ consumerAccounts: ['44445555666'] }, /44445555666 is not the number/],
    [{ consumerOrganizationId: 'ou-1234-abcd' }, /ou-1234-abcd is not the id/],
  ])('refuses %j', (others, message) => {
    expect(() => principalsOf(others)).toThrow(message);
  });
});

describe('a secret that other accounts read', () => {
  const viaService = {
    StringEquals: {
      'kms:ViaService': expect.objectContaining({ 'Fn::Join': expect.anything() as unknown }) as unknown,
    },
  };

  it('says so in its own policy and in that of its key', () => {
    const scope = stack();
    const encryptionKey = new Key(scope, 'Key');
    const secret = new Secret(scope, 'Shared', { secretName: 'team/shared', encryptionKey });
    rotatedSecretIn(scope, orchestratorIn(scope), { secret, consumerAccounts: ['444455556666'] });
    const made = Template.fromStack(scope);
    const policy = resource(made, 'AWS::SecretsManager::ResourcePolicy').Properties;
    expect(written(policy['SecretId'])).toMatch(/^<Shared/);
    expect(statements(policy['ResourcePolicy'])).toEqual([
      {
        effect: 'Allow',
        actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
        resources: ['*'],
        condition: undefined,
      },
    ]);
    expect(JSON.stringify(policy)).toContain(':iam::444455556666:root');
    const { Properties } = resources(made, 'AWS::KMS::Key').find(({ id }) => id.startsWith('Key')) ?? {};
    expect(statements(Properties?.['KeyPolicy'])).toContainEqual({
      effect: 'Allow',
      actions: ['kms:Decrypt'],
      resources: ['*'],
      condition: viaService,
    });
  });

  it('gets a policy where it is imported, and a warning about what its key needs', () => {
    const scope = stack();
    const encryptionKey = Key.fromKeyArn(scope, 'Key', encryptionKeyArn);
    const secret = Secret.fromSecretAttributes(scope, 'Shared', {
      secretCompleteArn: secretArn,
      encryptionKey,
    });
    letOthersRead(scope, secret, { consumerOrganizationId: 'o-abcdefghij' });
    const policy = resource(Template.fromStack(scope), 'AWS::SecretsManager::ResourcePolicy').Properties;
    expect(policy).toMatchObject({ SecretId: secretArn, BlockPublicPolicy: true });
    expect(statements(policy['ResourcePolicy'])).toMatchObject([
      { condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } } },
    ]);
    const warnings = Annotations.fromStack(scope).findWarning(
      '*',
      Match.stringLikeRegexp('1234 is not changed'),
    );
    expect(warnings).toHaveLength(1);
  });

  it('is refused under AWS’s own key, and has no policy where nobody is named', () => {
    const scope = stack();
    const secret = new Secret(scope, 'Shared', { secretName: 'team/shared' });
    const read = (consumerAccounts: readonly string[]) => letOthersRead(scope, secret, { consumerAccounts });
    expect(() => read(['444455556666'])).toThrow(/customer-managed key alone/);
    read([]);
    expect(resources(Template.fromStack(scope), 'AWS::SecretsManager::ResourcePolicy')).toEqual([]);
  });
});
