import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { GetParametersByPathCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { isNamed } from '../../aws/named';
import { awaitingAgent } from '../../rotators/iam/access-key';
import type { Cloud } from '../cloud';
import { accessKeyTiming } from '../iam/user-store';
import { cloudFor } from './own-cloud';
import { sensitiveIn } from './secret-text';
import type { Logins, RehearsalTarget, TargetKind } from './target';

/** Access keys of IAM users in the embedded cloud; what an application has of them is parameters that it reads and writes. */
export const iamKind: TargetKind = {
  facts: {
    claimed: false,
    sessionsOutlive: false,
    connectionsPerVerb: null,
    adminIsPrincipal: false,
    required: ['accessKeyId', 'secretAccessKey'],
  },
  start: async (given) => {
    const { cloud, release } = await cloudFor(given);
    let count = 0;
    return {
      provision: () => {
        count += 1;
        return provision(cloud, count === 1 ? 'example-app' : `example-app-${String(count)}`);
      },
      logText: () => Promise.resolve(JSON.stringify(cloud.journal.entries)),
      logins: () => Promise.resolve(loginsIn(cloud)),
      stop: release,
    };
  },
};

interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Where the application's data lies in Parameter Store. */
const ordersPath = '/example-app/orders';

/** What AWS's services answer for a key that they do not accept. */
const refusals = [
  'InvalidClientTokenId',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'InvalidSignatureException',
];

async function provision(cloud: Cloud, userName: string): Promise<RehearsalTarget> {
  const { User } = await cloud.call<{ User: { Arn: string } }>('iam', 'CreateUser', { UserName: userName });
  await cloud.call('iam', 'PutUserPolicy', {
    UserName: userName,
    PolicyName: 'orders',
    PolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Action: ['ssm:GetParametersByPath', 'ssm:PutParameter'],
        Resource: [ordersPath, `${ordersPath}/*`].map(
          (path) => `arn:aws:ssm:${cloud.region}:${cloud.account}:parameter${path}`,
        ),
      },
    }),
  });
  const { AccessKey: minted } = await cloud.call<{
    AccessKey: { AccessKeyId: string; SecretAccessKey: string };
  }>('iam', 'CreateAccessKey', { UserName: userName });
  const secret: AccessKey = {
    accessKeyId: minted.AccessKeyId,
    secretAccessKey: minted.SecretAccessKey,
  };
  // Trying the key would count as its first use.
  await pause(accessKeyTiming.newKeyMs + 20);
  return {
    secret: JSON.stringify(secret),
    settings: { user: User.Arn },
    login: async (text, application) => {
      const client = connect(cloud, read(text), application);
      await client.send(new GetParametersByPathCommand({ Path: ordersPath }));
      return {
        work: async () => {
          const order = { Name: `${ordersPath}/${application}`, Value: 'one more', Overwrite: true };
          await client.send(new PutParameterCommand({ ...order, Type: 'String' }));
          await client.send(new GetParametersByPathCommand({ Path: ordersPath }));
        },
        close: () => {
          client.destroy();
          return Promise.resolve();
        },
      };
    },
    isRefusedLogin: (error) => isNamed(error, ...refusals),
    wrong: (text) => JSON.stringify({ ...read(text), secretAccessKey: randomBytes(30).toString('base64') }),
    sensitive: (text) => sensitiveIn(text, 'secretAccessKey'),
    live: async () => {
      const { AccessKeyMetadata } = await cloud.call<{ AccessKeyMetadata: { Status: string }[] }>(
        'iam',
        'ListAccessKeys',
        { UserName: userName },
      );
      return AccessKeyMetadata.filter(({ Status }) => Status === 'Active').length;
    },
  };
}

function connect(cloud: Cloud, credentials: AccessKey, application: string): SSMClient {
  return new SSMClient({
    endpoint: cloud.endpoint,
    region: cloud.region,
    credentials,
    maxAttempts: 1,
    userAgentAppId: application,
  });
}

/** Requests count as logins: each is signed anew. What only waits for a new key to be known is refused on AWS as well. */
function loginsIn({ journal, account }: Cloud): Logins {
  const prefix = `arn:aws:iam::${account}:user/example-app`;
  return {
    accepted: journal.entries
      .filter(({ principalArn }) => principalArn.startsWith(prefix))
      .map(({ principalArn, userAgent }) => ({
        user: principalArn.split('/').at(-1) ?? '',
        application:
          /(?:^| )app\/(\S+)/.exec(userAgent)?.[1] ?? (/(?:^| )rotor/.test(userAgent) ? 'rotor' : ''),
      })),
    refused: journal.entries
      .filter(
        ({ principalArn, errorCode, userAgent }) =>
          principalArn === 'unidentified' &&
          refusals.some((code) => code === errorCode) &&
          !userAgent.includes(awaitingAgent),
      )
      // Who signed is not known where the key is not.
      .map(() => ({ user: '' })),
  };
}

function read(text: string): AccessKey {
  return JSON.parse(text) as AccessKey;
}
