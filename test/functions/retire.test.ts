import { lambdaContext } from './lambda-environment';
import { Client } from 'pg';
import * as z from 'zod';
import { handler as retire } from '../../functions/retire';
import { handler as usage } from '../../functions/usage';
import {
  startPostgresTargets,
  type PostgresTarget,
  type PostgresTargets,
} from '../../local/targets/postgres-target';
import { alternatingDefinition } from '../../rotators/postgres/definition';
import { rotators } from '../../rotators/registry';
import { contextFor, membersOf, newVersion, rejection, withPatience } from '../rotators/context';
import { AwsEndpoint, type StoredSecret } from './aws-endpoint';
import { collectLog, parsed } from './log-lines';

const rotator = rotators['postgres-alternating'];
const answer = z.object({
  ended: z.array(z.looseObject({ application: z.string().nullable(), count: z.number() })),
});
let aws: AwsEndpoint;
let targets: PostgresTargets;
let target: PostgresTarget;
let secret: StoredSecret;
const log = collectLog();
beforeAll(async () => {
  [aws, targets] = await Promise.all([AwsEndpoint.listen(), startPostgresTargets({})]);
});
afterAll(async () => {
  log.restore();
  await aws.close();
  await targets.stop();
});
beforeEach(async () => {
  log.lines.length = 0;
  aws.clear();
  target = await targets.provision({ adminArn: 'admin' });
  const context = contextFor(target);
  const to = await rotator.create(target.secret, context, newVersion());
  await withPatience(() => rotator.apply({ from: target.secret, to }, context, {}));
  aws.keep('admin', { a1: ['AWSCURRENT'] }, { a1: target.admin });
  secret = aws.keep(
    'app',
    { old: ['AWSPREVIOUS', 'rotor-held'], new: ['AWSCURRENT'] },
    { old: target.secret, new: to },
  );
});

const common = () => ({
  secretArn: secret.arn,
  rotator: 'postgres-alternating',
  settings: {},
  admin: 'admin',
});
const run = async (endSessions: boolean, changes: object = {}) => {
  const input = { ...common(), stop: 'old', keep: 'new', endSessions, ...changes };
  const attempt = () => {
    log.lines.length = 0;
    return retire(input, lambdaContext('retire'));
  };
  return answer.parse(await withPatience(attempt)).ended;
};
/** Sessions with the old credential, one for each name. */
const open = (...names: readonly string[]) =>
  Promise.all(names.map((name) => target.login(target.secret, name)));

test('sessions go on where their end is not asked for', async () => {
  const [session] = await open('pooled');
  expect(await run(false)).toEqual([]);
  expect(await target.live()).toBe(1);
  await session?.work();
  await session?.close();
});

test('they are ended after the stop, and the answer says whose they were; a repeat finds none', async () => {
  const [session] = await open('pooled');
  expect(await run(true)).toMatchObject([{ application: 'pooled', clientAddress: '127.0.0.1', count: 1 }]);
  await rejection(session?.work() ?? Promise.resolve());
  expect(await run(true)).toEqual([]);
});

test('what cannot be ended leaves the credential stopped, and a repeat goes on with it', async () => {
  const admin = String(membersOf(target.admin)['username']);
  await targets.asSuperuser(`revoke pg_signal_backend from "${admin}"`);
  const [session] = await open('pooled');
  expect((await rejection(run(true))).name).toBe('PermissionMissing');
  expect(await target.live()).toBe(1);
  await session?.work();
  await targets.asSuperuser(`grant pg_signal_backend to "${admin}"`);
  expect(await run(true)).toMatchObject([{ application: 'pooled', count: 1 }]);
});

test('a rotator that cannot end sessions is not asked to', async () => {
  secret.values.set('new', target.wrong(target.secret));
  const [session] = await open('pooled');
  expect(await run(true, { rotator: 'postgres-single', admin: null })).toEqual([]);
  await session?.work();
  await session?.close();
});

test('twenty holders are named and the others counted, with how long they had been open', async () => {
  const names = Array.from({ length: 22 }, (_, index) => `pod-${String(index)}`);
  const sessions = await open(...names, 'pod-21');
  const seen = z.object({ open: z.array(z.unknown()) }).parse(
    await withPatience(() =>
      usage(
        {
          ...common(),
          versionId: 'old',
          since: new Date(Date.now() + 60_000).toISOString(),
          watchSeconds: 0,
        },
        lambdaContext('usage'),
      ),
    ),
  );
  const ended = await run(true);
  for (const holders of [seen.open, ended]) {
    expect(holders).toHaveLength(21);
    expect(holders.at(-1)).toEqual({
      application: '2 more',
      clientAddress: null,
      count: expect.any(Number) as number,
      newestBegan: expect.stringMatching(/Z$/) as string,
      oldestBegan: expect.stringMatching(/Z$/) as string,
      openSeconds: expect.any(Number) as number,
    });
  }
  expect(ended.reduce((sum, { count }) => sum + count, 0)).toBe(23);
  for (const session of sessions) await session.close().catch(() => undefined);
});

test('neither the answer nor the log holds a value, whatever an application calls itself', async () => {
  const { host, port, dbname, username, password } = alternatingDefinition.secret.parse(
    JSON.parse(target.secret),
  );
  const client = new Client({
    host,
    port: Number(port),
    database: String(dbname),
    user: username,
    password,
    application_name: `with ${password}`,
  });
  client.on('error', () => undefined);
  await client.connect();
  expect(await run(true)).toMatchObject([{ application: 'with [redacted]', count: 1 }]);
  expect(parsed(log.lines)).toMatchObject([{ message: 'done', function: 'retire' }]);
  expect(log.lines.join('\n').includes(password)).toBe(false);
});
