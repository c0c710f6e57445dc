import '../functions/lambda-environment';
import { turnParameters } from '../../aws/group-turns';
import { AwsEndpoint } from '../functions/aws-endpoint';

const path = '/rotor/groups/shop_20databases/turns';
const holder = { execution: 'app-1', secretArn: 'arn', token: 'token', beside: [] };
const turns = turnParameters();
let aws: AwsEndpoint;
beforeAll(async () => (aws = await AwsEndpoint.listen()));
afterAll(() => aws.close());
beforeEach(() => aws.clear());

test('a turn is created under its number, and read again', async () => {
  await turns.take('shop databases', 3, holder);
  expect([...aws.parameters.keys()]).toEqual([`${path}/3`]);
  await expect(turns.read('shop databases', 3)).resolves.toMatchObject({ number: 3, holder });
  await expect(turns.read('shop databases', 4)).resolves.toBeUndefined();
});

test('a turn is never overwritten: the parameter says so, and the first one stays', async () => {
  await turns.take('shop databases', 3, holder);
  await turns.take('shop databases', 3, { ...holder, execution: 'billing-1' });
  await expect(turns.read('shop databases', 3)).resolves.toMatchObject({ holder });
  const puts = aws.received.filter(({ operation }) => operation === 'PutParameter');
  expect(puts.map(({ input }) => [input['Overwrite'], input['Tier']])).toEqual([
    [false, 'Standard'],
    [false, 'Standard'],
  ]);
});

test('a race that Parameter Store refuses is lost, and any other refusal is an error', async () => {
  aws.failNext('PutParameter', 'TooManyUpdates');
  await turns.take('shop databases', 1, holder);
  expect(aws.parameters.size).toBe(0);
  aws.failNext('PutParameter', 'ParameterLimitExceeded');
  await expect(turns.take('shop databases', 1, holder)).rejects.toMatchObject({
    name: 'ParameterLimitExceeded',
  });
});

test('all pages are listed, and what is no number is none of the turns', async () => {
  for (const number of [1, 2, 3, 10, 11]) await turns.take('shop databases', number, holder);
  aws.parameters.set(`${path}/note`, 'hands off');
  aws.parameters.set(`${path}/12`, 'hands off');
  const listed = await turns.list('shop databases');
  expect(listed.map(({ number }) => number).sort((a, b) => a - b)).toEqual([1, 2, 3, 10, 11, 12]);
  expect(listed.find(({ number }) => number === 12)?.holder).toBeUndefined();
});

test('a turn is removed once; absence is a success', async () => {
  await turns.take('shop databases', 1, holder);
  await turns.remove('shop databases', 1);
  await turns.remove('shop databases', 1);
  expect(aws.parameters.size).toBe(0);
  aws.failNext('DeleteParameter', 'AccessDeniedException');
  await expect(turns.remove('shop databases', 1)).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
