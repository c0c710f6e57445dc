import { createHmac } from 'node:crypto';
import { checkAddress } from '../../adapters/https/addresses';
import { AddressRefused } from '../../adapters/https/errors';
import { httpsDefinition } from '../../adapters/https/definition';
import { VirtualClock } from '../../local/kernel/clock';
import { selfSigned } from '../../local/targets/certificate';
import { adapterContract, rolledOut } from './contract';
import {
  type HttpsCounterpart,
  newKey,
  openHttpsCounterpart,
  type ScriptedAnswer,
} from './https-counterpart';

adapterContract('https', () => openHttpsCounterpart());

const version = rolledOut('11111111-1111-4111-8111-111111111111');
const loaded: ScriptedAnswer = { status: 200, body: JSON.stringify({ versionId: version.versionId }) };

describe('an HTTPS endpoint', () => {
  let opened: HttpsCounterpart | undefined;
  const open = async (settings: Readonly<Record<string, unknown>> = {}): Promise<HttpsCounterpart> =>
    (opened = await openHttpsCounterpart(settings));
  afterEach(async () => {
    await opened?.stop();
    opened = undefined;
  });
  const { signal } = new AbortController();
  const begin = (place: HttpsCounterpart) => place.open().begin(version, signal);
  const outcomeOf = async (act: Promise<unknown>) =>
    act.then(
      () => 'nothing',
      (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : 'no error'),
    );
  const scripted = async (answer: ScriptedAnswer | 'silence') => {
    const place = await open();
    place.script.push(answer);
    return place;
  };

  test('hears ids and nothing else, signed by the key', async () => {
    const place = await open();
    place.script.push(loaded);
    const clock = new VirtualClock();
    const adapter = place.open(clock);
    await adapter.begin(version, signal);
    expect(await adapter.look(version, signal)).toEqual({ state: 'done' });
    const [heard, ...others] = place.arrived;
    expect(others).toEqual([]);
    if (heard === undefined) throw new Error('nothing arrived');
    const { method, path, headers, body } = heard;
    expect([method, path]).toEqual(['POST', '/rotor?team=orders']);
    const { consumer, secret, versionId, rotationId } = version;
    const { time, ...ids } = JSON.parse(body) as Record<string, unknown>;
    expect(ids).toEqual({ schemaVersion: '1', consumer, secret, versionId, rotationId });
    expect(time).toBe(new Date(clock.now()).toISOString());
    expect(headers['rotor-rotation-id']).toBe(rotationId);
    const [, t = '', hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['rotor-signature'])) ?? [];
    expect(Number(t)).toBe(clock.now() / 1000);
    expect(hex).toBe(
      createHmac('sha256', place.keys[0] ?? '')
        .update(`${t}.${body}`)
        .digest('hex'),
    );
  });

  test('is asked where it says while it works, and by a signature over that address', async () => {
    const place = await open();
    const adapter = place.open();
    place.script.push({ status: 202, headers: { location: '/jobs/7?of=orders' } }, { status: 202 }, loaded);
    await adapter.begin(version, signal);
    expect(await adapter.look(version, signal)).toEqual({ state: 'working' });
    expect(await adapter.look(version, signal)).toEqual({ state: 'done' });
    const asked = place.arrived.slice(1);
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(
      Array(2).fill('GET /jobs/7?of=orders'),
    );
    const [, t = '', hex] = /^t=(\d+),v1=(\w+)$/.exec(String(asked[0]?.headers['rotor-signature'])) ?? [];
    const expected = createHmac('sha256', place.keys[0] ?? '').update(`${t}./jobs/7?of=orders`);
    expect(hex).toBe(expected.digest('hex'));
  });

  test.each(['https://elsewhere.example.com/jobs/7', 'http://127.0.0.1/jobs', '//elsewhere/x', 'https://['])(
    'is not followed to %s',
    async (location) => {
      const place = await scripted({ status: 202, headers: { location } });
      const adapter = place.open();
      await adapter.begin(version, signal);
      expect(await outcomeOf(adapter.look(version, signal))).toMatch(
        /^AddressRefused: the Location of a 202 is/,
      );
      expect(place.arrived).toHaveLength(1);
    },
  );

  test.each([
    [409, '{"reason":"the pool takes no login"}', 'EndpointRefused: the pool takes no login'],
    [422, 'no JSON', 'EndpointRefused: HTTP 422'],
    [409, '{"reason":7}', 'EndpointRefused: HTTP 409'],
    [409, '{"reason":"two\\nlines\\u0007"}', 'EndpointRefused: two lines'],
  ])('refuses by %i with %s', async (status, body, reason) => {
    const place = await scripted({ status, body });
    const adapter = place.open();
    await adapter.begin(version, signal);
    expect(await adapter.look(version, signal)).toEqual({ state: 'refused', reason });
  });

  test('gives a reason of 256 characters at most, and none of the key', async () => {
    const place = await open();
    place.script.push({
      status: 409,
      body: JSON.stringify({ reason: `${place.keys[0] ?? ''} ${'x'.repeat(600)}` }),
    });
    const adapter = place.open();
    await adapter.begin(version, signal);
    const progress = await adapter.look(version, signal);
    const reason = progress.state === 'refused' ? progress.reason : '';
    expect(reason).toMatch(/^EndpointRefused: \[redacted\] x+$/);
    expect(reason).toHaveLength(256);
  });

  test.each([
    ['', 'without {"versionId":"…"}'],
    ['<html>Sign in</html>', 'without {"versionId":"…"}'],
    ['null', 'without {"versionId":"…"}'],
    ['{}', 'without {"versionId":"…"}'],
    ['{"versionId":7}', 'without {"versionId":"…"}'],
    ['{"versionId":"held-by-somebody-else"}', 'for another version than the one asked for'],
  ])('is not taken for loaded by a 200 with %j, of a POST or of a GET', async (body, wrong) => {
    const place = await scripted({ status: 200, body });
    const reason = await outcomeOf(begin(place));
    expect(reason).toContain(`EndpointRefused: HTTP 200 ${wrong}`);
    expect(reason).not.toContain('held');
    place.script.push({ status: 202 }, { status: 200, body });
    const adapter = place.open();
    await adapter.begin(version, signal);
    expect(await outcomeOf(adapter.look(version, signal))).toBe(reason);
  });

  describe('that has restarted and knows nothing of the version', () => {
    const lines = (place: HttpsCounterpart) => place.arrived.map(({ method }) => method);

    test.each([404, 410])('is sent the POST again after a %i to a GET', async (status) => {
      const place = await open();
      const adapter = place.open();
      const later = { status: 202, headers: { location: '/jobs/8' } };
      place.script.push({ status: 202, headers: { location: '/jobs/7' } }, { status }, later, loaded);
      await adapter.begin(version, signal);
      expect(await adapter.look(version, signal)).toEqual({ state: 'working' });
      expect(await adapter.look(version, signal)).toEqual({ state: 'done' });
      expect(lines(place)).toEqual(['POST', 'GET', 'POST', 'GET']);
      expect(place.arrived.at(-1)?.path).toBe('/jobs/8');
    });

    test('says what it has to say to that POST', async () => {
      const place = await open();
      place.script.push({ status: 404 }, loaded, { status: 404 }, { status: 409 });
      expect(await place.open().look(version, signal)).toEqual({ state: 'done' });
      expect(await place.open().look(version, signal)).toMatchObject({ state: 'refused' });
      expect(lines(place)).toEqual(['GET', 'POST', 'GET', 'POST']);
    });

    test('has refused only where the POST is answered so too', async () => {
      const place = await open();
      place.script.push({ status: 404 }, { status: 404 });
      expect(await outcomeOf(place.open().look(version, signal))).toBe('EndpointRefused: HTTP 404');
      place.script.push({ status: 404 }, { status: 429 });
      expect(await place.open().look(version, signal)).toEqual({ state: 'working' });
    });

    test('and is the example: it begins anew, by a GET as by a POST', async () => {
      const place = await open();
      const adapter = place.open();
      await adapter.begin(version, signal);
      place.restart();
      expect(await adapter.look(version, signal)).toEqual({ state: 'working' });
      expect(place.acts()).toBe(2);
      await place.pass();
      expect(await adapter.look(version, signal)).toEqual({ state: 'done' });
      expect(lines(place)).toEqual(['POST', 'GET', 'GET']);
    });

    test('and is the example, whose application loads something else: it refuses, and loads once', async () => {
      const place = await open();
      place.loadInstead('another version');
      const adapter = place.open();
      await adapter.begin(version, signal);
      await place.pass();
      const reason = 'EndpointRefused: it was loaded, and another version runs';
      expect(await adapter.look(version, signal)).toEqual({ state: 'refused', reason });
      expect(place.acts()).toBe(1);
    });
  });

  test.each([
    [204, 'EndpointRefused: HTTP 204'],
    [404, 'EndpointRefused: HTTP 404'],
    [400, 'EndpointRefused: HTTP 400'],
    [301, 'EndpointRefused: HTTP 301: redirects are not followed'],
    [201, 'EndpointRefused: HTTP 201'],
    [500, 'EndpointFailing: POST 127.0.0.1'],
    [503, 'EndpointFailing: POST 127.0.0.1'],
    [408, 'EndpointFailing: POST 127.0.0.1'],
    [429, 'EndpointBusy: POST 127.0.0.1'],
  ])('answers %i, which is %s', async (status, expected) => {
    const place = await scripted({ status, headers: { location: `https://127.0.0.1/elsewhere` } });
    expect(await outcomeOf(begin(place))).toContain(expected);
    expect(place.arrived).toHaveLength(1);
  });

  test('is left alone for as long as Retry-After says, in begin and in look', async () => {
    const place = await open();
    const clock = new VirtualClock(Date.now());
    const adapter = place.open(clock);
    place.script.push(
      { status: 429, headers: { 'retry-after': '120' } },
      { status: 202 },
      {
        status: 503,
        headers: { 'retry-after': '60' },
      },
    );
    const wait = (ms: number) => {
      clock.after(ms, () => undefined);
      clock.advance();
    };
    expect(await outcomeOf(adapter.begin(version, signal))).toMatch(/^EndpointBusy: /);
    wait(119_000);
    expect(await outcomeOf(adapter.begin(version, signal))).toMatch(/^EndpointBusy: .*asked to come back at/);
    expect(place.arrived).toHaveLength(1);
    wait(1_000);
    await adapter.begin(version, signal);
    expect(await adapter.look(version, signal)).toEqual({ state: 'working' });
    wait(59_000);
    expect(await adapter.look(version, signal)).toEqual({ state: 'working' });
    expect(place.arrived).toHaveLength(3);
  });

  test('that breaks off, sends without end, or has another certificate is told apart by name', async () => {
    const place = await open();
    place.script.push('lost');
    expect(await outcomeOf(begin(place))).toMatch(/^NoAnswer: POST 127\.0\.0\.1:\d+: ECONNRESET$/);
    place.script.push({ status: 200, body: 'x'.repeat(100_000) });
    expect(await outcomeOf(begin(place))).toMatch(/^AnswerTooLong: /);
    await place.stop();
    const other = await open({ ca: selfSigned(['localhost'], ['127.0.0.1']).certificate });
    expect(await outcomeOf(begin(other))).toMatch(/^CertificateUntrusted: .*: DEPTH_ZERO_SELF_SIGNED_CERT$/);
    expect(other.arrived).toEqual([]);
    await other.stop();
    const closed = await open({ url: 'https://127.0.0.1:9/' });
    expect(await outcomeOf(begin(closed))).toMatch(/^NoAnswer: POST 127\.0\.0\.1:9: ECONNREFUSED$/);
  });

  test('that says nothing is waited for no longer than the invocation', async () => {
    const place = await scripted('silence');
    const controller = new AbortController();
    const act = outcomeOf(place.open().begin(version, controller.signal));
    await place.arrival();
    controller.abort();
    expect(await act).toMatch(/^NoAnswer: /);
  });

  describe('while the signing key is rotated', () => {
    const signs = async (place: HttpsCounterpart) => {
      await begin(place);
      return String(place.arrived.at(-1)?.headers['rotor-signature']).split(',v1=').length - 1;
    };

    test('is believed with the old key, with both, and with the new one alone', async () => {
      const place = await open();
      const [old = '', next] = [place.keys[0], newKey()];
      expect(await signs(place)).toBe(1);
      place.signingSecret.put('k2', { value: next }, 'AWSCURRENT');
      place.signingSecret.move('AWSPREVIOUS', 'k1');
      // The endpoint has not loaded the new one, then has both, then has forgotten the old one.
      for (const keys of [[old], [next, old], [next]]) {
        place.keys.splice(0, place.keys.length, ...keys);
        expect(await signs(place)).toBe(2);
      }
    });

    test('is asked once more with keys that are read anew, where those in use are two rotations old', async () => {
      const place = await open();
      const adapter = place.open(new VirtualClock(Date.now()));
      await adapter.begin(version, signal);
      place.signingSecret.put('k2', { value: newKey() }, 'AWSPREVIOUS');
      const newest = newKey();
      place.signingSecret.put('k3', { value: newest }, 'AWSCURRENT');
      place.keys.splice(0, 1, newest);
      await adapter.begin(version, signal);
      expect(place.arrived).toHaveLength(3);
    });

    test('is told by both keys although the labels move between the two looks', async () => {
      const place = await open();
      const next = newKey();
      place.signingSecret.put('k2', { value: next });
      const { signingSecret } = place;
      const read = signingSecret.getSecretValue.bind(signingSecret);
      signingSecret.getSecretValue = async (input, options) => {
        const answer = await read(input, options);
        signingSecret.move('AWSCURRENT', 'k2');
        signingSecret.move('AWSPREVIOUS', 'k1');
        return answer;
      };
      place.keys.splice(0, 1, next);
      expect(await signs(place)).toBe(2);
    });

    test('keys are read once a minute, and a key that is none is refused', async () => {
      const place = await open();
      const clock = new VirtualClock(Date.now());
      const adapter = place.open(clock);
      await adapter.begin(version, signal);
      await adapter.begin(version, signal);
      expect(place.signingSecret.reads).toEqual(['AWSCURRENT', 'AWSPREVIOUS']);
      place.signingSecret.put('k1', { other: newKey() }, 'AWSCURRENT');
      clock.after(60_000, () => undefined);
      clock.advance();
      const reason = await outcomeOf(adapter.begin(version, signal));
      expect(reason).toMatch(/^SigningKeyMissing: .* in value$/);
    });

    test('an endpoint that believes none of the keys has refused', async () => {
      const place = await open();
      place.keys.splice(0, 1, newKey());
      expect(await outcomeOf(begin(place))).toBe('EndpointRefused: HTTP 401');
    });
  });

  test('has no private address unless the settings say so, by name or by number', async () => {
    const place = await open({ privateAddresses: false });
    expect(await outcomeOf(begin(place))).toMatch(
      /^AddressRefused: 127\.0\.0\.1:\d+ has the private address/,
    );
    await place.stop();
    const named = await open({ privateAddresses: false, url: 'https://localhost:9/' });
    expect(await outcomeOf(begin(named))).toMatch(/^AddressRefused: localhost:9 has the private address/);
  });
});

test.each([
  ['169.254.169.254', true],
  ['169.254.170.2', true],
  ['fe80::1', true],
  ['fd00:ec2::254', true],
  ['64:ff9b::a9fe:a9fe', true],
  ['10.0.0.1', false],
  ['192.168.1.1', false],
  ['::1', false],
  ['::ffff:10.0.0.1', false],
  ['64:ff9b::a00:1', false],
])('%s is refused, always: %s', (address, always) => {
  expect(() => checkAddress('host', address, false)).toThrow(AddressRefused);
  const act = () => checkAddress('host', address, true);
  if (always) expect(act).toThrow(/link-local/);
  else expect(act).not.toThrow();
});

test('public addresses pass', () => {
  for (const address of ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'])
    expect(() => checkAddress('host', address, false)).not.toThrow();
});

describe('settings', () => {
  const right = {
    url: 'https://orders.example.com/rotor',
    signingSecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:orders/hook-AbCdEf',
  };

  test('take an address, and what CDK knows at deployment only', () => {
    expect(httpsDefinition.settings.parse(right)).toEqual({
      ...right,
      signingMember: 'value',
      privateAddresses: false,
    });
    expect(httpsDefinition.settings.safeParse({ ...right, url: '${Token[TOKEN.7]}' }).success).toBe(true);
  });

  test.each([
    { url: 'http://orders.example.com/rotor' },
    { url: 'https://user:word@orders.example.com/' },
    { url: 'https://orders.example.com/#part' },
    { url: 'orders.example.com' },
    { signingSecret: 'x' },
  ])('refuse %j', (wrong) => {
    expect(httpsDefinition.settings.safeParse({ ...right, ...wrong }).success).toBe(false);
  });

  test('grant the signing secret alone', () => {
    expect(httpsDefinition.grants(httpsDefinition.settings.parse(right))).toEqual([
      { actions: ['secretsmanager:GetSecretValue'], resources: [right.signingSecretArn] },
    ]);
  });
});
