import { readFileSync } from 'node:fs';
import path from 'node:path';
import { consumerParameter, heldLabel, secretPolicyParameter } from '../../domain/names';
import { ScaledClock } from '../../local/kernel/clock';
import { adminId, secretId, StagedRehearsal } from './staged-rehearsal';

const policyName = secretPolicyParameter(secretId);
const ordersName = consumerParameter(secretId, 'orders');
const documented = readFileSync(path.resolve(__dirname, '../../docs/errors.md'), 'utf8');

let stage: StagedRehearsal;
/** Everything as it was deployed, to put back after each case. */
let deployed: {
  readonly secret: string;
  readonly admin: string;
  readonly policy: string;
  readonly orders: string;
};

beforeAll(async () => {
  stage = await StagedRehearsal.start({ clock: new ScaledClock(25) });
  deployed = {
    secret: await stage.value(secretId),
    admin: await stage.value(adminId),
    policy: await stage.parameter(policyName),
    orders: await stage.parameter(ordersName),
  };
});
afterAll(() => stage.rehearsal.stop());

/** One JSON text with members replaced; `undefined` takes a member away. */
function changed(text: string, members: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), ...members });
}

interface Case {
  readonly what: string;
  readonly error: string;
  readonly state: string;
  /** What the message must name. */
  readonly names: RegExp;
  readonly arrange: () => Promise<unknown>;
  /** Undoes what `mend` does not know of. */
  readonly undo?: () => Promise<unknown>;
}

const adminUser = () => (JSON.parse(deployed.admin) as { readonly username: string }).username;
const appUser = () => (JSON.parse(deployed.secret) as { readonly username: string }).username;

const cases: readonly Case[] = [
  {
    what: 'a secret that is no JSON',
    error: 'SecretMalformed',
    state: 'CreateSecret',
    names: /secret is not JSON/,
    arrange: () => stage.write(secretId, deployed.secret.slice(0, -1)),
  },
  {
    what: 'a secret without a host',
    error: 'SecretMalformed',
    state: 'CreateSecret',
    names: /missing field: host/,
    arrange: () => stage.write(secretId, changed(deployed.secret, { host: undefined })),
  },
  {
    what: 'a secret that repeats its password in a connection URL',
    error: 'SecretMalformed',
    state: 'CreateSecret',
    names: /repeats its password in url/,
    arrange: () => {
      const { password } = JSON.parse(deployed.secret) as { readonly password: string };
      return stage.write(secretId, changed(deployed.secret, { url: `postgres://app:${password}@db/shop` }));
    },
  },
  {
    what: 'an engine that no rotator takes',
    error: 'RotatorUnknown',
    state: 'CreateSecret',
    names: /postgres-alternating/,
    arrange: async () => {
      await stage.write(secretId, changed(deployed.secret, { engine: 'oracle' }));
      await stage.setParameter(policyName, changed(deployed.policy, { rotator: undefined }));
    },
  },
  {
    what: 'a policy that names an unknown rotator',
    error: 'RotatorUnknown',
    state: 'CreateSecret',
    names: /postgres-quadruple/,
    arrange: () =>
      stage.setParameter(policyName, changed(deployed.policy, { rotator: 'postgres-quadruple' })),
  },
  {
    what: 'an unknown field in the policy',
    error: 'PolicyInvalid',
    state: 'Plan',
    names: /policy: unknown field retention/,
    arrange: () => stage.setParameter(policyName, changed(deployed.policy, { retention: 3 })),
  },
  {
    what: 'a wrong value in the policy',
    error: 'PolicyInvalid',
    state: 'Plan',
    names: /field onRefusal: must be one of back, hold/,
    arrange: () => stage.setParameter(policyName, changed(deployed.policy, { onRefusal: 'retry' })),
  },
  {
    what: 'a policy that is no JSON',
    error: 'PolicyInvalid',
    state: 'Plan',
    names: /policy is not JSON/,
    arrange: () => stage.setParameter(policyName, 'rotator: postgres-alternating'),
  },
  {
    what: "a wrong value in a consumer's enrolment",
    error: 'PolicyInvalid',
    state: 'Plan',
    names: /consumers\/orders: field acknowledge: must be one of required, optional, none/,
    arrange: () => stage.setParameter(ordersName, changed(deployed.orders, { acknowledge: 'always' })),
  },
  {
    what: 'no admin in secret and policy',
    error: 'AdminMissing',
    state: 'CreateSecret',
    names: /neither masterarn in the secret nor admin in its policy/,
    arrange: async () => {
      await stage.write(secretId, changed(deployed.secret, { masterarn: undefined }));
      await stage.setParameter(policyName, changed(deployed.policy, { admin: undefined }));
    },
  },
  {
    what: "an admin's secret that is marked for deletion",
    error: 'AdminMissing',
    state: 'SetSecret',
    names: /app-admin.* is marked for deletion/,
    arrange: () =>
      stage.cloud.call('secretsmanager', 'DeleteSecret', { SecretId: adminId, RecoveryWindowInDays: 7 }),
    undo: () => stage.cloud.call('secretsmanager', 'RestoreSecret', { SecretId: adminId }),
  },
  {
    what: 'an admin that the functions may not read',
    error: 'AccessDeniedException',
    state: 'SetSecret',
    names: /GetSecretValue/,
    arrange: () => stage.setParameter(policyName, changed(deployed.policy, { admin: 'example/nowhere' })),
  },
  {
    what: 'a masterarn that names the secret itself',
    error: 'AdminIsTheSecret',
    state: 'CreateSecret',
    names: /is the secret itself/,
    arrange: async () => {
      const { ARN } = await stage.cloud.call<{ ARN: string }>('secretsmanager', 'DescribeSecret', {
        SecretId: secretId,
      });
      await stage.write(secretId, changed(deployed.secret, { masterarn: ARN }));
      await stage.setParameter(policyName, changed(deployed.policy, { admin: undefined }));
    },
  },
  {
    what: 'a host where nobody answers',
    error: 'TargetUnreachable',
    state: 'SetSecret',
    names: /ECONNREFUSED/,
    arrange: async () => {
      await stage.write(secretId, awayFrom(deployed.secret));
      await stage.write(adminId, awayFrom(deployed.admin));
      await stage.setParameter(policyName, changed(deployed.policy, { patienceSeconds: 1 }));
    },
  },
  {
    what: 'a wrong admin password',
    error: 'AdminRejected',
    state: 'SetSecret',
    names: /SQLSTATE 28P01/,
    arrange: () => stage.write(adminId, stage.rehearsal.target.wrong(deployed.admin)),
  },
  {
    what: 'an admin without ADMIN OPTION on the user',
    error: 'PermissionMissing',
    state: 'SetSecret',
    names: /SQLSTATE 42501/,
    arrange: () => stage.targets.asSuperuser(`revoke admin option for ${appUser()} from ${adminUser()}`),
    undo: () => stage.targets.asSuperuser(`grant ${appUser()} to ${adminUser()} with admin true`),
  },
  {
    what: 'an admin that may not create roles',
    error: 'PermissionMissing',
    state: 'SetSecret',
    names: /SQLSTATE 42501/,
    arrange: () => stage.targets.asSuperuser(`alter role ${adminUser()} nocreaterole`),
    undo: () => stage.targets.asSuperuser(`alter role ${adminUser()} createrole`),
  },
  {
    what: 'a user whose name leaves no room for _clone',
    error: 'UserNameTooLong',
    state: 'CreateSecret',
    names: /58 bytes/,
    arrange: () => stage.write(secretId, changed(deployed.secret, { username: 'u'.repeat(58) })),
  },
  {
    what: 'a version that an earlier rotation left held',
    error: 'PreviousStillHeld',
    state: 'Plan',
    names: /carries rotor-held/,
    arrange: async () => {
      // Written by hand twice, so that there is a version from before.
      await stage.write(secretId, deployed.secret);
      const previous = await stage.versionWith('AWSPREVIOUS');
      if (previous === undefined) throw new Error('there is no previous version');
      await stage.moveLabel(heldLabel, { to: previous });
    },
    undo: async () => {
      const held = await stage.versionWith(heldLabel);
      if (held !== undefined) await stage.moveLabel(heldLabel, { from: held });
    },
  },
];

/** Puts everything back, where it differs. */
async function mend(): Promise<void> {
  const texts = [
    [secretId, deployed.secret],
    [adminId, deployed.admin],
  ] as const;
  for (const [id, text] of texts) if ((await stage.value(id)) !== text) await stage.write(id, text);
  await stage.setParameter(policyName, deployed.policy);
  await stage.setParameter(ordersName, deployed.orders);
}

async function expectFailsSafely({ error, state, names, arrange }: Omit<Case, 'what'>): Promise<void> {
  await arrange();
  const [roles, current, live] = [
    await stage.roles(),
    await stage.versionWith('AWSCURRENT'),
    await stage.rehearsal.target.live(),
  ];
  const mails = stage.cloud.mails.length;

  const rotation = await stage.rehearsal.rotate();
  await stage.cloud.idle();

  expect(rotation.outcome).toBe('reverted');
  const alerts = stage.failures(mails);
  expect(alerts).toHaveLength(1);
  expect(alerts[0]).toContain(`\nError:      ${error}\n`);
  expect(alerts[0]).toContain(`\nState:      ${state}\n`);
  expect(/^Cause: {6}(.*)$/m.exec(alerts[0] ?? '')?.[1]).toMatch(names);
  expect(documented).toMatch(new RegExp(`^(?:## ${error}$|\\| \`${error}\` \\|)`, 'm'));
  expect(await stage.roles()).toEqual(roles);
  expect(await stage.rehearsal.target.live()).toBe(live);
  expect(await stage.versionWith('AWSCURRENT')).toBe(current);
  await stage.expectNothingPending();
  expect(await stage.rehearsal.leaks()).toEqual([]);
}

test.each(cases)(
  '$what ends with $error, an alert that names it, and nothing changed',
  async ({ undo, ...the }) => {
    try {
      await expectFailsSafely(the);
    } finally {
      await undo?.();
      await mend();
    }
  },
);

test('what was mended rotates', async () => {
  const rotation = await stage.rehearsal.rotate();
  expect(rotation.outcome).toBe('rotated');
  await stage.expectCurrentWorks();
});

test("an admin's secret that does not exist any more ends with AdminMissing, and nothing changed", async () => {
  await expectFailsSafely({
    error: 'AdminMissing',
    state: 'SetSecret',
    names: /app-admin.* does not exist/,
    arrange: () =>
      stage.cloud.call('secretsmanager', 'DeleteSecret', {
        SecretId: adminId,
        ForceDeleteWithoutRecovery: true,
      }),
  });
});

/** A secret at an address where nobody answers. */
function awayFrom(secret: string): string {
  return JSON.stringify({ ...(JSON.parse(secret) as object), port: 9 });
}
