import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { build } from 'esbuild';
import { lambdaDefinition } from '../../rotators/lambda/definition';
import type { Cloud } from '../cloud';
import { startPartner, type Partner } from './lambda-partner';
import { cloudFor } from './own-cloud';
import { sensitiveIn } from './secret-text';
import type { RehearsalTarget, TargetKind } from './target';

/** Tokens of a partner's clients, which the example of a team's own rotator changes, as a function in the embedded cloud. */
export const lambdaKind: TargetKind = {
  facts: {
    claimed: false,
    sessionsOutlive: false,
    connectionsPerVerb: null,
    adminIsPrincipal: false,
    required: ['url', 'client', 'token'],
  },
  start: async (given) => {
    const { cloud, release } = await cloudFor(given);
    const partner = await startPartner();
    const folder = await deployFunction(cloud, functionName, example);
    let count = 0;
    return {
      provision: () => {
        count += 1;
        return Promise.resolve(provision(partner, count === 1 ? '' : `-${String(count)}`));
      },
      logText: async () => {
        const readables = await cloud.readables();
        const functionLog = readables.filter(({ place }) => place === `log /aws/lambda/${functionName}`);
        return [partner.logText(), ...functionLog.map(({ text }) => text)].join('\n');
      },
      logins: () => Promise.resolve(partner.logins()),
      stop: async () => {
        await partner.stop();
        await release();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

/** The example's settings name the function, so that what is granted at synthesis is this one. */
const { settings } = lambdaDefinition.example;
const functionName = 'example-own-rotator';
const example = path.resolve(__dirname, '../../examples/own-rotator/handler.ts');

function provision(partner: Partner, suffix: string): RehearsalTarget {
  const client = `example-app${suffix}`;
  const admin = `rotor-admin${suffix}`;
  const { url } = partner;
  return {
    secret: JSON.stringify({ url, client, token: partner.register(client) }),
    admin: JSON.stringify({ url, client: admin, token: partner.register(admin, true) }),
    settings,
    login: async (text, application) => {
      await order(text, application, 'GET');
      return {
        work: async () => {
          await order(text, application, 'POST');
          await order(text, application, 'GET');
        },
        close: () => Promise.resolve(),
      };
    },
    isRefusedLogin: (error) => error instanceof NotAccepted,
    wrong: (text) => JSON.stringify({ ...read(text), token: randomBytes(24).toString('base64url') }),
    // Port 9 is discard's, where nobody listens: the connection is refused at once.
    unreachable: (text) => ({
      secret: JSON.stringify({ ...read(text), url: 'http://127.0.0.1:9' }),
      settings,
    }),
    sensitive: (text) => sensitiveIn(text, 'token'),
    live: () => Promise.resolve(partner.accepted(client)),
  };
}

/** What an application's own code would throw for status 401. */
class NotAccepted extends Error {
  override readonly name = 'NotAccepted';
}

async function order(text: string, application: string, method: 'GET' | 'POST'): Promise<void> {
  const { url, token } = read(text);
  const response = await fetch(new URL('/orders', url), {
    method,
    headers: { authorization: `Bearer ${token}`, 'user-agent': application },
    signal: AbortSignal.timeout(60_000),
  });
  await response.arrayBuffer();
  if (response.status === 401) throw new NotAccepted('the partner does not accept the token');
  if (!response.ok) throw new Error(`the partner answers status ${response.status}`);
}

/**
 * Deploys a function as a team would: a stack of its own, with a role that may write its log and nothing else.
 *
 * @returns the folder with the code, which new execution environments read for as long as the function is there.
 */
export async function deployFunction(cloud: Cloud, name: string, entryPoint: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rotor-own-rotator-'));
  await build({
    entryPoints: [entryPoint],
    outfile: path.join(folder, 'code', 'index.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
  });
  for (const [file, content] of Object.entries(assemblyOf(name)))
    await writeFile(path.join(folder, file), JSON.stringify(content));
  await cloud.deploy(folder);
  return folder;
}

/** What `cdk synth` would write for one function. */
function assemblyOf(name: string): Readonly<Record<string, object>> {
  const code = { bucketName: 'assets', objectKey: `${name}.zip` };
  return {
    'manifest.json': {
      artifacts: {
        [name]: {
          type: 'aws:cloudformation:stack',
          dependencies: ['assets'],
          properties: { templateFile: 'template.json' },
        },
        assets: { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } },
      },
    },
    'assets.json': {
      files: { code: { source: { path: 'code', packaging: 'zip' }, destinations: { here: code } } },
    },
    'template.json': {
      Resources: {
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            AssumeRolePolicyDocument: {
              Statement: {
                Effect: 'Allow',
                Principal: { Service: 'lambda.amazonaws.com' },
                Action: 'sts:AssumeRole',
              },
            },
            ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
          },
        },
        Function: {
          Type: 'AWS::Lambda::Function',
          Properties: {
            FunctionName: name,
            Code: { S3Bucket: code.bucketName, S3Key: code.objectKey },
            Handler: 'index.handler',
            Runtime: 'nodejs22.x',
            Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
            Timeout: 30,
            MemorySize: 128,
          },
        },
      },
    },
  };
}

interface PartnerSecret {
  readonly url: string;
  readonly token: string;
}

function read(text: string): PartnerSecret {
  return JSON.parse(text) as PartnerSecret;
}
