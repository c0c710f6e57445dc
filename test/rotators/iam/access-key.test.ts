import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cloud } from '../../../local/cloud';
import { accessKeyTiming } from '../../../local/iam/user-store';
import { ScaledClock } from '../../../local/kernel/clock';
import { iamKind } from '../../../local/targets/iam-target';
import { cloudFor } from '../../../local/targets/own-cloud';
import type { RehearsalTarget, TargetServer } from '../../../local/targets/target';
import { accessKey, awaitingAgent } from '../../../rotators/iam/access-key';
import { accessKeyDefinition } from '../../../rotators/iam/definition';
import type { CreateOptions, Verb } from '../../../rotators/rotator';
import { seal } from '../../../rotators/seal';
import { startCloudWithHeldKeys } from '../../local/iam/held-keys';
import { contextFor, membersOf, rejection, withMembers } from '../context';

/** A clock that can be set back, so that a key was used a while ago. */
class ShiftedClock extends ScaledClock {
  minutesBack = 0;

  override now(): number {
    return Date.now() - this.minutesBack * 60_000;
  }
}

const rotator = seal(accessKeyDefinition, () => Promise.resolve(accessKey));
const clock = new ShiftedClock();
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

let cloud: Cloud;
let release: () => Promise<void>;
let server: TargetServer;
let target: RehearsalTarget;

beforeAll(async () => {
  ({ cloud, release } = await cloudFor(undefined, { clock }));
  server = await iamKind.start(cloud);
});
afterAll(() => release());
beforeEach(async () => {
  clock.minutesBack = 0;
  target = await server.provision();
});

const idOf = (secret: string) => String(membersOf(secret)['accessKeyId']);
const userArn = () => String(target.settings?.['user']);
const userName = () => userArn().split('/').at(-1) ?? '';
const context = () => contextFor(target);
const create = (from: string, options: Partial<CreateOptions<string>> = {}) =>
  rotator.create(from, context(), { versionId: 'version', others: [], ...options });
const apply = (from: string, to: string) => rotator.apply({ from, to }, context(), {});
const retire = (from: string, to: string) => rotator.retire({ from, to }, context());
const accepts = (secret: string) => rotator.verify(secret, context());

async function keys(): Promise<Readonly<Record<string, string>>> {
  const { AccessKeyMetadata } = await cloud.call<{
    AccessKeyMetadata: { AccessKeyId: string; Status: string }[];
  }>('iam', 'ListAccessKeys', { UserName: userName() });
  return Object.fromEntries(AccessKeyMetadata.map(({ AccessKeyId, Status }) => [AccessKeyId, Status]));
}

async function use(secret: string, minutesBack: number): Promise<void> {
  clock.minutesBack = minutesBack;
  await (await target.login(secret, 'web')).close();
  clock.minutesBack = 0;
}

/** Has this process reach the cloud through a relay that loses the first answer of an operation. */
async function withoutFirstAnswer(operation: string, run: () => Promise<void>): Promise<void> {
  let isLost = false;
  const relay = http.createServer((request, response) => {
    void buffer(request).then((body) => {
      const { method, headers } = request;
      const onward = http.request(
        new URL(request.url ?? '/', cloud.endpoint),
        { method, headers },
        (answer) => {
          const loses = !isLost && body.toString().includes(`Action=${operation}&`);
          isLost ||= loses;
          if (loses) response.destroy();
          else answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers));
        },
      );
      onward.end(body);
    });
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as net.AddressInfo;
  process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${port}`;
  try {
    await run();
    expect(isLost).toBe(true);
  } finally {
    process.env['AWS_ENDPOINT_URL'] = cloud.endpoint;
    relay.close();
    relay.closeAllConnections();
  }
}

/** A rotation after which both keys are active, as one that was held leaves them. */
async function rotateWithoutRetiring(): Promise<string> {
  const to = await create(target.secret);
  await apply(target.secret, to);
  return to;
}

describe('create', () => {
  test('removes the key that an earlier rotation has retired', async () => {
    const second = await rotateWithoutRetiring();
    await use(target.secret, 1);
    await retire(target.secret, second);
    const third = await create(second, { others: [target.secret], replacedAt: minutesAgo(2) });
    expect(await keys()).toEqual({ [idOf(second)]: 'Active', [idOf(third)]: 'Active' });
  });

  test('finds what an interrupted call has minted and nobody received, and mints anew', async () => {
    const lost = await create(target.secret);
    const to = await create(target.secret);
    expect(Object.keys(await keys())).toEqual([idOf(target.secret), idOf(to)]);
    await apply(target.secret, to);
    await expect(rejection(accepts(lost))).resolves.toMatchObject({ name: 'CredentialRejected' });
  });

  test('removes the previous key although it is active, where nobody has used it since', async () => {
    await use(target.secret, 60);
    const second = await rotateWithoutRetiring();
    const third = await create(second, { others: [target.secret], replacedAt: minutesAgo(50) });
    expect(Object.keys(await keys())).toEqual([idOf(second), idOf(third)]);
  });

  test('removes the previous key that was used while applications moved, and not since', async () => {
    await use(target.secret, 60);
    const second = await rotateWithoutRetiring();
    await create(second, { others: [target.secret], replacedAt: minutesAgo(100) });
    expect(Object.keys(await keys())).not.toContain(idOf(target.secret));
  });

  test('leaves the previous key alone that somebody has used since', async () => {
    await use(target.secret, 60);
    const second = await rotateWithoutRetiring();
    const refusal = await rejection(create(second, { others: [target.secret], replacedAt: minutesAgo(150) }));
    expect(refusal.name).toBe('PrincipalInUse');
    expect(refusal.message).toContain(idOf(target.secret));
    expect(refusal.message).toContain('for ssm in us-east-1');
    await accepts(target.secret);
  });

  test('does not trust a quiet key for as long as IAM records no further use of it', async () => {
    await use(target.secret, 14);
    const second = await rotateWithoutRetiring();
    const refusal = await rejection(create(second, { others: [target.secret], replacedAt: minutesAgo(5) }));
    expect(refusal.name).toBe('PrincipalInUse');
    expect(refusal.message).toContain('not known yet');
    await accepts(target.secret);
  });

  test('takes a previous key for used where it is not known since when it is the previous one', async () => {
    await use(target.secret, 60);
    const second = await rotateWithoutRetiring();
    expect((await rejection(create(second, { others: [target.secret] }))).name).toBe('PrincipalInUse');
  });

  test('leaves a key alone, stopped or not, that stands under a label of somebody’s own', async () => {
    const second = await rotateWithoutRetiring();
    for (const isStopped of [false, true]) {
      if (isStopped) await retire(target.secret, second);
      const refusal = await rejection(
        create(second, { pinned: [target.secret], replacedAt: minutesAgo(150) }),
      );
      expect(refusal.name).toBe('OverlapExhausted');
      expect(refusal.message).toContain(idOf(target.secret));
      expect(Object.keys(await keys())).toEqual([idOf(target.secret), idOf(second)]);
    }
  });

  test('leaves a key alone that is used and belongs to no version, and says what to do', async () => {
    const stranger = await rotateWithoutRetiring();
    await use(stranger, 1);
    const refusal = await rejection(create(target.secret));
    expect(refusal.name).toBe('OverlapExhausted');
    expect(refusal.message).toContain(
      `update-access-key --access-key-id ${idOf(stranger)} --status Inactive`,
    );
    expect(Object.values(await keys())).toEqual(['Active', 'Active']);
  });

  test('mints nothing where the secret holds the key of another user', async () => {
    const other = await server.provision();
    const refusal = await rejection(create(other.secret));
    expect(refusal.name).toBe('CredentialUnusable');
    expect(Object.keys(await keys())).toEqual([idOf(target.secret)]);
  });

  test('refuses a secret that repeats the key elsewhere', async () => {
    const copy = withMembers(target.secret, { profile: `aws_access_key_id = ${idOf(target.secret)}` });
    const refusal = await rejection(create(copy));
    expect(refusal.name).toBe('SecretMalformed');
    expect(refusal.message).toContain('profile');
  });

  test('says that the policy names a user who does not exist', async () => {
    const nobody = { settings: { user: userArn().replace(/[^/]+$/, 'nobody') } };
    const attempt = rotator.create(target.secret, contextFor(target, nobody), { versionId: 'v', others: [] });
    expect((await rejection(attempt)).name).toBe('PolicyInvalid');
  });
});

describe('apply', () => {
  /** How often AWS was asked whether it accepts a new key. */
  const asked = ({ journal }: Cloud) =>
    journal.entries.filter(({ userAgent }) => userAgent.includes(awaitingAgent)).length;

  test('returns when AWS accepts the new key, which it does not do at once', async () => {
    const { cloud: slow, spread } = await startCloudWithHeldKeys();
    const before = { ...process.env };
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: slow.endpoint,
      AWS_ACCESS_KEY_ID: slow.operator.accessKeyId,
      AWS_SECRET_ACCESS_KEY: slow.operator.secretAccessKey,
    });
    try {
      target = await (await iamKind.start(slow)).provision();
      spread();
      const to = await create(target.secret);
      expect(await rejection(accepts(to))).toMatchObject({ name: 'CredentialRejected', retryable: true });
      const applied = apply(target.secret, to);
      while (asked(slow) === 0) await pause(5);
      spread();
      await applied;
      await accepts(to);
    } finally {
      Object.assign(process.env, before);
      await slow.stop();
    }
  });

  test('does not wait for a key whose secret part is wrong', async () => {
    const to = await create(target.secret);
    await apply(target.secret, to);
    const before = asked(cloud);
    expect((await rejection(apply(target.secret, target.wrong(to)))).name).toBe('CredentialRejected');
    expect(asked(cloud) - before).toBe(1);
  });

  test('says that a key is gone to which a rotation wants to go back', async () => {
    const to = await create(target.secret);
    const input = { UserName: userName(), AccessKeyId: idOf(target.secret) };
    await cloud.call('iam', 'DeleteAccessKey', input);
    expect((await rejection(apply(to, target.secret))).name).toBe('CredentialUnusable');
  });
});

test("verify refuses a key that works and is another user's", async () => {
  const other = await server.provision();
  expect((await rejection(accepts(other.secret))).name).toBe('CredentialUnusable');
});

describe('usage', () => {
  const ask = (since: Date) => rotator.usage(target.secret, { since, watchMs: 0 }, context());

  test('names the service and the region of a use since the last acknowledgement', async () => {
    await use(target.secret, 20);
    expect(await ask(minutesAgo(30))).toMatchObject({
      begun: [{ application: 'ssm in us-east-1', count: 1 }],
      open: [],
    });
  });

  test('calls a key open that may go on being used unrecorded, and quiet after that', async () => {
    await use(target.secret, 14);
    expect(await ask(minutesAgo(10))).toMatchObject({ begun: [], open: [{ count: 1 }] });
    const other = await server.provision();
    target = other;
    await use(other.secret, 16);
    expect(await ask(minutesAgo(10))).toEqual({ begun: [], open: [], looks: 2 });
  });
});

describe('an answer of CreateAccessKey that is lost on its way', () => {
  test('is worth another try, which removes the key that nobody received', async () => {
    await withoutFirstAnswer('CreateAccessKey', async () => {
      const refusal = await rejection(create(target.secret));
      expect(refusal.name).toBe('TargetUnreachable');
      expect(Object.keys(await keys())).toHaveLength(2);
      const to = await create(target.secret);
      expect(Object.keys(await keys())).toEqual([idOf(target.secret), idOf(to)]);
    });
  });

  test('and calls at the same time mint no third key, and fail in no way that lasts', async () => {
    const attempts = await Promise.allSettled([1, 2, 3].map(() => create(target.secret)));
    for (const attempt of attempts)
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ name: 'TargetUnreachable' });
    expect(Object.keys(await keys()).length).toBeLessThanOrEqual(2);
    await accepts(target.secret);
  });
});

describe('retire', () => {
  test.each(['stopped', 'deleted'])('keeps the last key while the one to keep is %s', async (how) => {
    const to = await rotateWithoutRetiring();
    if (how === 'stopped') await retire(to, target.secret);
    else await cloud.call('iam', 'DeleteAccessKey', { UserName: userName(), AccessKeyId: idOf(to) });
    const refusal = await rejection(retire(target.secret, to));
    expect(refusal.name).toBe('CredentialUnusable');
    expect(refusal.message).toContain(idOf(to));
    await accepts(target.secret);
  });

  test('does not stop a key in favour of itself', async () => {
    expect((await rejection(retire(target.secret, target.secret))).name).toBe('SamePrincipal');
    await accepts(target.secret);
  });

  test('takes a key that was deleted for stopped', async () => {
    const to = await rotateWithoutRetiring();
    const input = { UserName: userName(), AccessKeyId: idOf(target.secret) };
    await cloud.call('iam', 'DeleteAccessKey', input);
    await retire(target.secret, to);
    await accepts(to);
  });
});

describe('what each verb is granted', () => {
  /** Runs with an identity that has what `verb` is granted, on this user alone, and nothing else. */
  async function as(verb: Verb, run: () => Promise<unknown>): Promise<void> {
    const UserName = `${userName()}-${verb}-function`;
    const { iam } = rotator.traits(target.settings);
    const Statement = iam
      .filter(({ verbs }) => verbs.includes(verb))
      .map(({ actions, resources }) => ({ Effect: 'Allow', Action: actions, Resource: resources }));
    await cloud.call('iam', 'CreateUser', { UserName });
    await cloud.call('iam', 'PutUserPolicy', {
      UserName,
      PolicyName: 'grants',
      PolicyDocument: JSON.stringify({ Statement }),
    });
    const { AccessKey } = await cloud.call<{ AccessKey: { AccessKeyId: string; SecretAccessKey: string } }>(
      'iam',
      'CreateAccessKey',
      { UserName },
    );
    await pause(accessKeyTiming.newKeyMs + 20);
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: AccessKey.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: AccessKey.SecretAccessKey,
    });
    try {
      await run();
    } finally {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
    }
  }

  test('is all that it needs', async () => {
    const lost = await create(target.secret);
    let to = lost;
    await as('create', async () => (to = await create(target.secret)));
    await as('apply', () => apply(target.secret, to));
    await as('verify', () => accepts(to));
    const query = { since: minutesAgo(1), watchMs: 0 };
    await as('usage', () => rotator.usage(target.secret, query, context()));
    await as('retire', () => retire(target.secret, to));
    expect(await keys()).toEqual({ [idOf(target.secret)]: 'Inactive', [idOf(to)]: 'Active' });
  });

  test('lets no verb do the work of another one, nor work on another user', async () => {
    const to = await rotateWithoutRetiring();
    const other = await server.provision();
    await as('apply', async () => {
      expect((await rejection(create(to))).name).toBe('PermissionMissing');
      const elsewhere = rotator.apply({ from: other.secret, to: other.secret }, contextFor(other), {});
      expect((await rejection(elsewhere)).name).toBe('PermissionMissing');
    });
    await as('verify', async () => {
      expect((await rejection(retire(target.secret, to))).name).toBe('PermissionMissing');
    });
  });
});
