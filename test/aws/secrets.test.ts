import '../functions/lambda-environment';
import { secretsManager, type Secrets } from '../../aws/secrets';
import { AwsEndpoint, type StoredSecret } from '../functions/aws-endpoint';

let aws: AwsEndpoint;
let secrets: Secrets;
let secret: StoredSecret;
beforeAll(async () => {
  aws = await AwsEndpoint.listen();
  secrets = secretsManager();
});
afterAll(() => aws.close());
beforeEach(() => {
  aws.clear();
  secret = aws.keep('app', { old: ['AWSCURRENT'], new: ['AWSPENDING'] }, { old: 'a' });
});

test('describe answers with ARN, name and labels, by name or by ARN', async () => {
  const described = { arn: secret.arn, name: 'app', labels: secret.labels };
  await expect(secrets.describe('app')).resolves.toEqual(described);
  await expect(secrets.describe(secret.arn)).resolves.toEqual(described);
});

test('read without a version reads AWSCURRENT, and says which version that is', async () => {
  await expect(secrets.read('app')).resolves.toEqual({
    text: 'a',
    versionId: 'old',
    createdAt: new Date('2026-01-01T00:00:00Z'),
  });
});

test('read with version and label fails while the label is elsewhere', async () => {
  await expect(secrets.read('app', 'old', 'AWSCURRENT')).resolves.toMatchObject({ text: 'a' });
  await expect(secrets.read('app', 'old', 'AWSPENDING')).rejects.toMatchObject({
    name: 'InvalidRequestException',
  });
});

test('a version without a value is ResourceNotFoundException, as AWS names it', async () => {
  await expect(secrets.read('app', 'new')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('a binary secret is refused by name, since no rotator could read it', async () => {
  secret.binary.add('old');
  await expect(secrets.read('app')).rejects.toMatchObject({
    name: 'SecretMalformed',
    message: 'secret app is binary, not text',
  });
});

test('the pending value is written under the token, once, and only the same value again is a success', async () => {
  await secrets.putPending('app', 'new', 'b');
  await secrets.putPending('app', 'new', 'b');
  await expect(secrets.putPending('app', 'new', 'c')).rejects.toMatchObject({
    name: 'ResourceExistsException',
  });
  expect(secret.values.get('new')).toBe('b');
  expect(aws.received[0]?.input).toMatchObject({ ClientRequestToken: 'new', VersionStages: ['AWSPENDING'] });
});

test('a move sends only the sides that it names', async () => {
  await secrets.move('app', { stage: 'rotor-held', to: 'old' });
  await secrets.move('app', { stage: 'rotor-held', from: 'old' });
  await secrets.move('app', { stage: 'AWSCURRENT', to: 'new', from: 'old' });
  expect(aws.received.map(({ input }) => input)).toEqual([
    { SecretId: 'app', VersionStage: 'rotor-held', MoveToVersionId: 'old' },
    { SecretId: 'app', VersionStage: 'rotor-held', RemoveFromVersionId: 'old' },
    { SecretId: 'app', VersionStage: 'AWSCURRENT', MoveToVersionId: 'new', RemoveFromVersionId: 'old' },
  ]);
});
