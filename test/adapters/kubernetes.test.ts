import { adapterHandler } from '../../adapters/handler';
import type { Progress, RolledOut } from '../../adapters/adapter';
import { kubernetesDefinition } from '../../adapters/kubernetes/definition';
import { annotationsOf } from '../../adapters/kubernetes/marks';
import type { Clock } from '../../client/clock';
import { selfSigned } from '../../local/targets/certificate';
import { FakeEventBus } from '../client/fake-event-bus';
import { refreshEvent } from '../client/refresh-event';
import { adapterContract, rolledOut } from './contract';
import {
  type KubernetesCounterpart,
  type KubernetesOptions,
  openKubernetesCounterpart,
} from './kubernetes-counterpart';

// Ten seconds for a request guard against a network; here they would only tell how slow the machine is.
beforeEach(() => {
  jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
});
afterEach(() => jest.restoreAllMocks());

adapterContract('kubernetes', () => openKubernetesCounterpart());

describe('a workload in Kubernetes', () => {
  let opened: KubernetesCounterpart | undefined;
  const open = async (options: KubernetesOptions = {}): Promise<KubernetesCounterpart> =>
    (opened = await openKubernetesCounterpart(options));
  afterEach(async () => {
    await opened?.stop();
    opened = undefined;
  });
  const version = rolledOut('11111111-1111-4111-8111-111111111111');
  const { signal } = new AbortController();

  /** Another secret of the same workload, in a rotation of its own. */
  const other: RolledOut = {
    ...rolledOut('33333333-3333-4333-8333-333333333333', 'rotation-3'),
    secret: { arn: `${version.secret.arn}-other`, name: 'shop/other' },
  };
  const marksOf = ({ secret, versionId, rotationId }: RolledOut) =>
    annotationsOf({ secretArn: secret.arn, versionId, rotationId });

  const begin = (place: KubernetesCounterpart, clock?: Clock) => place.open(clock).begin(version, signal);
  const look = (place: KubernetesCounterpart) => place.open().look(version, signal);
  const refusedAs = async (act: Promise<unknown>) =>
    act.then(
      () => 'nothing',
      (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : 'no error'),
    );
  /** One look of one invocation after each move of the controllers, until the roll-out has ended. */
  async function follow(place: KubernetesCounterpart, of = version): Promise<Progress[]> {
    const adapter = place.open(place.clock);
    const seen: Progress[] = [];
    for (let moves = 0; moves < 80; moves++) {
      const progress = await adapter.look(of, signal);
      seen.push(progress);
      if (progress.state !== 'working') return seen;
      const ready = place.cluster.pods('api').filter((pod) => pod.ready).length;
      expect(ready).toBeGreaterThanOrEqual(2);
      place.cluster.move(1);
    }
    throw new Error('the roll-out has no end');
  }

  test.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)(
    'a %s is done when the last of its pods is a new one that is ready, and not a move before',
    async (kind) => {
      const place = await open({ kind });
      const old = new Set(place.cluster.pods('api'));
      await begin(place);
      const seen = await follow(place);
      expect(seen.at(-1)).toEqual({ state: 'done' });
      expect(seen.length).toBeGreaterThan(3);
      const pods = place.cluster.pods('api');
      expect(pods).toHaveLength(3);
      expect(pods.filter((pod) => old.has(pod) || !pod.ready)).toEqual([]);
      expect(place.cluster.terminating('api')).toEqual([]);
    },
  );

  describe('and old pods that shut down', () => {
    const grace = (seconds: number) => ({
      template: { metadata: { labels: { app: 'api' } }, spec: { terminationGracePeriodSeconds: seconds } },
    });
    /** Moves until the new pods are ready and old ones shut down, as kubectl would have it, and returns the time. */
    const untilSteady = (place: KubernetesCounterpart): number => {
      const { cluster } = place;
      const isSteady = () => {
        const status = cluster.store.find('Deployment', 'api')?.status ?? {};
        const counts = ['replicas', 'updatedReplicas', 'availableReplicas'].map((name) => status[name]);
        return counts.every((count) => count === 3);
      };
      cluster.move(1);
      for (let moves = 0; !isSteady(); moves++) {
        if (moves === 40) throw new Error('the pods are not ready');
        cluster.move(1);
      }
      expect(cluster.terminating('api')).not.toEqual([]);
      return cluster.now();
    };

    test('are waited for where a Deployment counts them, in any invocation', async () => {
      const place = await open({ spec: grace(3_600) });
      place.cluster.shutsDownIn = 100;
      await begin(place);
      untilSteady(place);
      expect(await look(place)).toEqual({ state: 'working' });
      while (place.cluster.terminating('api').length > 0) {
        expect(await look(place)).toEqual({ state: 'working' });
        place.cluster.move(1);
      }
      expect(await look(place)).toEqual({ state: 'done' });
    });

    test.each([
      ['the template’s', grace(120), 120],
      ['30 s', {}, 30],
    ])('are waited for a grace period where nothing counts them: %s', async (_, spec, seconds) => {
      const place = await open({ spec });
      place.cluster.countsTerminating = false;
      place.cluster.shutsDownIn = 7_200;
      await begin(place);
      const adapter = place.open(place.clock);
      const since = untilSteady(place);
      while (place.cluster.now() - since < seconds * 1_000) {
        expect(await adapter.look(version, signal)).toEqual({ state: 'working' });
        place.cluster.move(1);
      }
      expect(await adapter.look(version, signal)).toEqual({ state: 'done' });
      expect(place.cluster.terminating('api')).toEqual([]);
      // Another invocation has not seen since when.
      expect(await place.open(place.clock).look(version, signal)).toEqual({ state: 'working' });
    });

    test('are waited for anew when the template was changed in between', async () => {
      const place = await open({ spec: grace(20) });
      place.cluster.countsTerminating = false;
      await begin(place);
      const adapter = place.open(place.clock);
      const since = untilSteady(place);
      expect(await adapter.look(version, signal)).toEqual({ state: 'working' });
      place.cluster.change('Deployment', 'api', {
        spec: { template: { metadata: { labels: { app: 'api', of: 'b' } } } },
      });
      // Seen by nobody: the pods are replaced once more between two looks.
      const again = untilSteady(place);
      expect(again - since).toBeGreaterThanOrEqual(20_000);
      expect(await adapter.look(version, signal)).toEqual({ state: 'working' });
    });
  });

  test('two secrets of one workload are rotated at the same time, and neither takes the other’s roll-out back', async () => {
    const place = await open({ externalSecret: { refreshInterval: '1h' } });
    await begin(place, place.clock);
    place.cluster.move(1);
    await place.open(place.clock).begin(other, signal);
    // A reminder of the first finds what it has begun.
    await begin(place, place.clock);
    expect(place.acts()).toBe(2);
    expect((await follow(place)).at(-1)).toEqual({ state: 'done' });
    expect((await follow(place, other)).at(-1)).toEqual({ state: 'done' });
    const marks = { ...marksOf(version), ...marksOf(other) };
    expect(Object.keys(marks)).toHaveLength(4);
    const { store } = place.cluster;
    expect(store.find('Deployment', 'api')?.spec).toMatchObject({
      template: { metadata: { annotations: marks } },
    });
    const { annotations = {} } = store.find('ExternalSecret', 'api-db')?.metadata ?? {};
    expect(annotations).toMatchObject(marks);
    const names = Object.keys(annotations).map((key) => key.replace(/[0-9a-f]{12}$/, ''));
    expect(names.filter((name) => /asked|synced/.test(name)).sort()).toEqual(
      ['asked-at', 'asked-at', 'synced-before', 'synced-before'].map((name) => `rotor/${name}-`),
    );
    // The part after the slash: 63 characters, from a letter or digit to another.
    for (const key of Object.keys({ ...annotations, ...marks }))
      expect(key).toMatch(/^(rotor\/)?(?=.{1,63}$)[A-Za-z0-9][-A-Za-z0-9_.]*[A-Za-z0-9]$/);
  });

  test.each([
    ['Deployment', { paused: true }, 'WorkloadPaused: deployments/api is paused'],
    ['StatefulSet', { updateStrategy: { type: 'OnDelete' } }, 'UpdatesOnDelete: statefulsets/api has'],
    ['DaemonSet', { updateStrategy: { type: 'OnDelete' } }, 'UpdatesOnDelete: daemonsets/api has'],
    [
      'StatefulSet',
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
      'RolloutPartitioned: statefulsets/api has a partition of 2',
    ],
  ] as const)('a %s with %j is refused by name, and left as it is', async (kind, spec, reason) => {
    const place = await open({ kind, spec });
    expect(await refusedAs(begin(place))).toContain(reason);
    expect(place.acts()).toBe(0);
  });

  test('a Deployment that is paused in the middle is refused too', async () => {
    const place = await open();
    await begin(place);
    place.cluster.change('Deployment', 'api', { spec: { paused: true } });
    place.cluster.move(5);
    expect(await refusedAs(look(place))).toMatch(/^WorkloadPaused: /);
  });

  test('a workload that is scaled to nothing is done at once', async () => {
    const place = await open({ spec: { replicas: 0 } });
    await begin(place);
    place.cluster.move(1);
    expect(await look(place)).toEqual({ state: 'done' });
  });

  test('pods that do not come up are refused with the condition’s words, after the progress deadline', async () => {
    const place = await open({ spec: { progressDeadlineSeconds: 60 } });
    place.cluster.comesUp = () => false;
    await begin(place);
    place.cluster.move(10, 5);
    expect(await look(place)).toEqual({ state: 'working' });
    place.cluster.move(5, 5);
    expect(await look(place)).toEqual({
      state: 'refused',
      reason: 'ProgressDeadlineExceeded: ReplicaSet "api-7d9c4b" has timed out progressing.',
    });
  });

  test('pods that are not let in are refused with the reason, and without what admission says, which quotes values', async () => {
    const place = await open({ spec: { progressDeadlineSeconds: 60 } });
    place.cluster.keepsOut =
      'admission webhook "policy" denied the request: env DB_PASSWORD=held-by-the-template';
    await begin(place);
    place.cluster.move(15, 5);
    expect(await look(place)).toEqual({
      state: 'refused',
      reason:
        'ProgressDeadlineExceeded: ReplicaSet "api-7d9c4b" has timed out progressing. ReplicaFailure: FailedCreate',
    });
  });

  test('a roll-out that failed before does not count for this one', async () => {
    const place = await open({ spec: { progressDeadlineSeconds: 60 } });
    place.cluster.comesUp = () => false;
    await place.open().begin(rolledOut('22222222-2222-4222-8222-222222222222'), signal);
    place.cluster.move(20, 5);
    place.cluster.comesUp = () => true;
    await begin(place);
    expect(await look(place)).toEqual({ state: 'working' });
    expect((await follow(place)).at(-1)).toEqual({ state: 'done' });
  });

  test('a template that somebody has set back is refused, not waited for', async () => {
    const place = await open();
    await begin(place);
    place.cluster.change('Deployment', 'api', {
      spec: {
        template: {
          metadata: {
            annotations: Object.fromEntries(Object.keys(marksOf(version)).map((key) => [key, null])),
          },
        },
      },
    });
    place.cluster.move(10);
    expect(await look(place)).toEqual({
      state: 'refused',
      reason: `RolloutReplaced: the template of deployments/api is not of version ${version.versionId}`,
    });
  });

  describe('and its ExternalSecret', () => {
    const externalSecret = { refreshInterval: '1h', target: { name: 'api-db' } };
    const patchesOf = ({ cluster }: KubernetesCounterpart, resource: string) =>
      cluster.log.filter((line) => line.startsWith('PATCH') && line.includes(`/${resource}/`));

    test('pods start after the operator has copied the new value', async () => {
      const place = await open({ externalSecret });
      place.cluster.provided = 'value of version 1';
      await begin(place, place.clock);
      expect((await follow(place)).at(-1)).toEqual({ state: 'done' });
      expect(place.cluster.pods('api').map(({ secret }) => secret)).toEqual(
        Array(3).fill('value of version 1'),
      );
      const { annotations } = place.cluster.store.find('ExternalSecret', 'api-db')?.metadata ?? {};
      expect(annotations?.['force-sync']).toContain(version.versionId);
    });

    test('a fetch that began before is not taken for the one that was asked for', async () => {
      const place = await open({ externalSecret });
      // The operator is in the middle of it, with the value of before.
      place.cluster.change('ExternalSecret', 'api-db', { spec: { refreshInterval: '2h' } });
      place.cluster.move(1);
      place.cluster.provided = 'value of version 1';
      await begin(place, place.clock);
      await follow(place);
      expect(new Set(place.cluster.pods('api').map(({ secret }) => secret))).toEqual(
        new Set(['value of version 1']),
      );
    });

    test('a crash between the two changes is taken up, and each is made once', async () => {
      const place = await open({ externalSecret });
      place.cluster.plan(
        { request: 'PATCH /apis/external', answer: 'lost' },
        { request: 'PATCH /apis/apps', answer: 503 },
      );
      expect(await refusedAs(begin(place, place.clock))).toMatch(/^NoAnswer: /);
      expect(await refusedAs(begin(place, place.clock))).toMatch(/^ClusterFailing: /);
      await begin(place, place.clock);
      await begin(place, place.clock);
      expect((await follow(place)).at(-1)).toEqual({ state: 'done' });
      expect(patchesOf(place, 'externalsecrets')).toHaveLength(1);
      expect(patchesOf(place, 'deployments').map((line) => line.slice(-3))).toEqual(['503', '200']);
    });

    test('an object that changes in between is read again', async () => {
      const place = await open({ externalSecret });
      place.cluster.plan({ request: 'PATCH /apis/external', answer: 409 });
      await begin(place, place.clock);
      expect(patchesOf(place, 'externalsecrets').map((line) => line.slice(-3))).toEqual(['409', '200']);
    });

    test('a failure of the provider that passes is no refusal', async () => {
      const place = await open({ externalSecret });
      place.cluster.provided = undefined;
      let waits = 0;
      const clock: Clock = {
        now: () => place.clock.now(),
        after: (delayMs, run) => {
          waits += 1;
          if (waits === 8) place.cluster.provided = 'value of version 1';
          return place.clock.after(delayMs, run);
        },
      };
      await begin(place, clock);
      expect(waits).toBeGreaterThan(8);
      expect(place.cluster.copied).toBe('value of version 1');
    });

    test('a failure of the provider that stays is refused with the condition’s message, and no pod is replaced', async () => {
      const place = await open({ externalSecret });
      place.cluster.provided = undefined;
      expect(await refusedAs(begin(place, place.clock))).toMatch(/^ExternalSecretPending: /);
      expect(await refusedAs(begin(place, place.clock))).toMatch(/^ExternalSecretPending: /);
      expect(await refusedAs(begin(place, place.clock))).toBe(
        'ExternalSecretFailed: externalsecrets/api-db: SecretSyncedError, could not get secret data from provider',
      );
      expect(place.acts()).toBe(0);
    });

    test.each([
      [{ refreshPolicy: 'CreatedOnce' }, 'CreatedOnce'],
      [{ refreshInterval: '0' }, 'zero'],
      [{ refreshInterval: '0h0m0s', refreshPolicy: 'Periodic' }, 'zero'],
      [{ target: { immutable: true } }, 'immutable'],
    ])('one that the operator never fetches again is refused: %j', async (fixed, word) => {
      const place = await open({ externalSecret: { ...externalSecret, ...fixed } });
      const reason = await refusedAs(begin(place, place.clock));
      expect(reason).toMatch(/^ExternalSecretFixed: /);
      expect(reason).toContain(word);
      expect(place.cluster.log.filter((line) => line.startsWith('PATCH'))).toEqual([]);
    });

    test('an interval of zero with the policy OnChange is fetched', async () => {
      const place = await open({ externalSecret: { refreshInterval: '0', refreshPolicy: 'OnChange' } });
      place.cluster.provided = 'value of version 1';
      await begin(place, place.clock);
      expect(place.cluster.copied).toBe('value of version 1');
    });
  });

  describe('and who may do what', () => {
    test('a token that is not taken is made anew, once', async () => {
      const place = await open();
      place.cluster.plan({ request: 'GET', answer: 401 });
      await begin(place);
      expect(place.cluster.log.map((line) => line.slice(-3))).toEqual(['401', '200', '200']);
    });

    test('a role without an access entry is told of it', async () => {
      const place = await open({ knownRole: false });
      expect(await refusedAs(begin(place))).toMatch(
        /^ClusterUnauthorized: GET deployments\/api answered 401 Unauthorized: is the role/,
      );
    });

    test('a token is good for its own cluster, and for nobody with another key', async () => {
      const place = await open({ settings: { cluster: 'other' } });
      expect(await refusedAs(begin(place))).toMatch(/^ClusterUnauthorized: /);
      await place.stop();
      const other = await open({
        credentials: {
          accessKeyId: 'ASIAEXAMPLEEXAMPLE01',
          secretAccessKey: 'another',
          sessionToken: 'another',
          roleArn: 'none',
        },
      });
      expect(await refusedAs(begin(other))).toMatch(/^ClusterUnauthorized: /);
    });

    test('a rule that is missing, an object and an API that do not exist are refused by name', async () => {
      const place = await open({ rules: [] });
      expect(await refusedAs(begin(place))).toBe(
        'ClusterForbidden: GET deployments/api answered 403 Forbidden',
      );
      await place.stop();
      const named = {
        rules: [
          {
            apiGroups: ['apps', 'x.io'],
            resources: ['deployments', 'externalsecrets'],
            resourceNames: ['api', 'gone'],
            verbs: ['get'],
          },
        ],
      };
      const gone = await open({ ...named, settings: { name: 'gone' } });
      expect(await refusedAs(begin(gone))).toBe('ObjectNotFound: GET deployments/gone answered 404 NotFound');
      await gone.stop();
      const elsewhere = await open({
        ...named,
        externalSecret: {},
        settings: { externalSecret: { name: 'gone', apiVersion: 'x.io/v1' } },
      });
      expect(await refusedAs(begin(elsewhere, elsewhere.clock))).toBe(
        'ObjectNotFound: GET externalsecrets/gone answered 404 NotFound',
      );
    });

    test('no certificate but one of the cluster’s authority is taken, whatever the environment says', async () => {
      const stranger = selfSigned(['kubernetes'], ['127.0.0.1']).certificate;
      const place = await open({
        settings: { certificateAuthority: Buffer.from(stranger).toString('base64') },
      });
      const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        expect(await refusedAs(begin(place))).toMatch(
          /^CertificateUntrusted: GET deployments\/api: DEPTH_ZERO_SELF_SIGNED_CERT$/,
        );
        expect(place.cluster.log).toEqual([]);
      } finally {
        if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
      }
    });

    test('an authority that is no certificate is a matter of the settings', async () => {
      const place = await open({ settings: { certificateAuthority: 'bm8=' } });
      expect(() => place.open()).toThrow(/certificateAuthority/);
    });
  });

  test('the handler acknowledges when every pod has been replaced', async () => {
    const place = await open({ externalSecret: { refreshInterval: '1h' } });
    place.cluster.provided = 'value of version 1';
    // Time passes while the adapter waits between two looks. Its heartbeats and Lambda's limit are further away than the end.
    const clock: Clock = {
      now: () => place.clock.now(),
      after: (delayMs, run) =>
        delayMs > 60_000 ? { cancel: () => undefined } : place.clock.after(delayMs, run),
    };
    const bus = new FakeEventBus();
    const lines = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      const handler = adapterHandler(kubernetesDefinition, () => place.open(clock), {
        eventBridge: bus,
        clock,
        current: () => Promise.resolve('v2'),
        variables: {
          CONSUMER: 'orders',
          SECRET_NAME: 'shop/db',
          BUS_NAME: 'rotor',
          SETTINGS: JSON.stringify({
            endpoint: place.cluster.endpoint,
            certificateAuthority: place.cluster.certificateAuthority,
            cluster: 'shop',
            namespace: 'shop',
            kind: 'Deployment',
            name: 'api',
            externalSecret: { name: 'api-db' },
          }),
        },
      });
      await handler(refreshEvent(clock.now()), { getRemainingTimeInMillis: () => 900_000 });
      const logged = lines.mock.calls.flat().join('\n');
      for (const secret of place.secrets) expect(logged).not.toContain(secret);
    } finally {
      lines.mockRestore();
    }
    expect(bus.outcomes.at(-1)).toBe('loaded');
    expect(place.cluster.pods('api').map(({ secret }) => secret)).toEqual(
      Array(3).fill('value of version 1'),
    );
  });
});

describe('settings', () => {
  const right = {
    endpoint: 'https://ABC.gr7.us-east-1.eks.amazonaws.com',
    certificateAuthority: 'bm8=',
    cluster: 'shop',
    namespace: 'shop',
    kind: 'Deployment',
    name: 'api',
  };
  const accepts = (settings: object) => kubernetesDefinition.settings.safeParse(settings).success;

  test('take what EKS describes, and what CDK knows at deployment only', () => {
    expect(accepts(right)).toBe(true);
    expect(accepts({ ...right, endpoint: '${Token[TOKEN.12]}', name: '${Token[TOKEN.13]}' })).toBe(true);
  });

  test.each([
    { endpoint: 'http://ABC.gr7.us-east-1.eks.amazonaws.com' },
    { endpoint: 'https://user:word@ABC.gr7.us-east-1.eks.amazonaws.com' },
    { endpoint: 'https://ABC.gr7.us-east-1.eks.amazonaws.com/proxy' },
    { kind: 'ReplicaSet' },
    { name: 'api/../../secrets/db' },
    { namespace: '../kube-system' },
    { externalSecret: { name: 'api-db', apiVersion: 'v1/../..' } },
    { nmae: 'api' },
  ])('refuse %j', (wrong) => {
    expect(accepts({ ...right, ...wrong })).toBe(false);
  });
});
