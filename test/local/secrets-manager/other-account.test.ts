import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { startCloud, type Cloud } from '../../../local/cloud';
import { Neighbours } from '../../../local/neighbours';

const ours = '111122223333';
const theirs = '444455556666';
let owner: Cloud;
let reader: Cloud;
let client: SecretsManagerClient;
let KeyId: string;

beforeAll(async () => {
  const neighbours = new Neighbours();
  owner = await startCloud({ neighbours, account: ours });
  reader = await startCloud({ neighbours, account: theirs });
  const { roles } = neighbours.account(theirs, () => {
    throw new Error('the account is there');
  });
  const actions = ['secretsmanager:GetSecretValue', 'kms:Decrypt'];
  const roleArn = roles.put({
    name: 'reader',
    trustPolicy: allow({ Service: 'ecs-tasks.amazonaws.com' }, 'sts:AssumeRole'),
    policies: { read: { Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] } },
  });
  const credentials = reader.assume(roleArn, 'ecs-tasks.amazonaws.com', 'reader');
  client = new SecretsManagerClient({
    endpoint: reader.endpoint,
    region: reader.region,
    credentials,
    maxAttempts: 1,
  });
  const { KeyMetadata } = await owner.call<{ KeyMetadata: { Arn: string } }>('kms', 'CreateKey', {});
  KeyId = KeyMetadata.Arn;
});
afterAll(async () => {
  client.destroy();
  await owner.stop();
  await reader.stop();
});

const allow = (Principal: object, Action: string, Condition?: object) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal, Action, Resource: '*', ...(Condition && { Condition }) }],
});
const them = { AWS: `arn:aws:iam::${theirs}:root` };

/** A secret of the one account; answers its ARN. */
async function create(Name: string, more: object = {}): Promise<string> {
  const { ARN } = await owner.call<{ ARN: string }>('secretsmanager', 'CreateSecret', {
    Name,
    SecretString: 'value',
    ClientRequestToken: crypto.randomUUID(),
    ...more,
  });
  return ARN;
}
const share = (SecretId: string) =>
  owner.call('secretsmanager', 'PutResourcePolicy', {
    SecretId,
    ResourcePolicy: JSON.stringify(allow(them, 'secretsmanager:GetSecretValue')),
  });
const read = (SecretId: string) => client.send(new GetSecretValueCommand({ SecretId }));

test('a secret of another account is read when its policy and that of its key say so', async () => {
  const arn = await create('shared', { KmsKeyId: KeyId });
  await expect(read(arn)).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringContaining('no resource-based policy allows') as string,
  });
  await share(arn);
  await expect(read(arn)).rejects.toThrow('Access to KMS is not allowed');
  const through = { StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' } };
  const { Policy } = await owner.call<{ Policy: string }>('kms', 'GetKeyPolicy', { KeyId });
  const { Statement: own } = JSON.parse(Policy) as { Statement: object[] };
  const [shared = {}] = allow(them, 'kms:Decrypt', through).Statement;
  await owner.call('kms', 'PutKeyPolicy', {
    KeyId,
    Policy: JSON.stringify({ Version: '2012-10-17', Statement: [...own, shared] }),
  });
  await expect(read(arn)).resolves.toMatchObject({ ARN: arn, SecretString: 'value' });
  // A name is always one of the caller's own account.
  await expect(read('shared')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('a secret under AWS’s own key is not, whatever its policy says', async () => {
  const arn = await create('plain');
  await share(arn);
  await expect(read(arn)).rejects.toMatchObject({
    name: 'InvalidRequestException',
    message: expect.stringContaining('encrypt the secret with the default KMS service key') as string,
  });
});

test('the operator of one account has no say in another', async () => {
  const arn = await create('guarded');
  const config = { endpoint: reader.endpoint, region: reader.region, credentials: reader.operator };
  const operator = new SecretsManagerClient({ ...config, maxAttempts: 1 });
  await expect(operator.send(new GetSecretValueCommand({ SecretId: arn }))).rejects.toThrow(
    'no resource-based policy allows',
  );
  operator.destroy();
});
