import { checkUrl, guardedLookup, isLoopback, type Egress } from '../../../rotators/http/egress';

const refusal = (run: () => void): string => {
  try {
    run();
    return '';
  } catch (error) {
    return String(error);
  }
};
const check = (url: string, egress: Egress) => refusal(() => checkUrl(new URL(url), egress, 'GET it'));

describe('a request leaves', () => {
  const egress = { hosts: ['api.example.com', 'api.example.com:8443'], privateHosts: ['127.0.0.1:8080'] };

  test.each(['https://api.example.com/x', 'https://API.EXAMPLE.COM:8443/', 'http://127.0.0.1:8080/'])(
    'to %s, which the settings name',
    (url) => expect(check(url, egress)).toBe(''),
  );

  test.each([
    'https://api.example.com.evil.test/',
    'https://evil.test/api.example.com',
    'https://api.example.com:444/',
    'http://api.example.com/',
    'https://user@api.example.com/',
    'http://127.0.0.1:8081/',
  ])('not to %s, and the host is named', (url) => {
    expect(check(url, egress)).toContain(new URL(url).host);
  });

  test.each([
    '10.0.0.1',
    '127.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '100.64.0.1',
    '0.0.0.0',
    '[::1]',
    '[fd12::1]',
    '[::ffff:10.0.0.1]',
    '[64:ff9b::10.0.0.1]',
    '[2002:a00:1::1]',
    '[::10.0.0.1]',
    '[::ffff:0:10.0.0.1]',
    '[2001::f5ff:fffe]',
    '[fec0::1]',
    '0x7f.1',
    '2130706433',
  ])('not to the private address %s, unless it is meant', (host) => {
    const { host: written } = new URL(`https://${host}/`);
    expect(check(`https://${host}/`, { hosts: [written] })).toContain('private address');
    expect(check(`https://${host}/`, { privateHosts: [written] })).toBe('');
  });

  test.each([
    '169.254.169.254',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[::ffff:169.254.169.254]',
    '[64:ff9b::169.254.169.254]',
  ])('never to %s, where a machine’s own credentials are', (host) => {
    const { host: written } = new URL(`https://${host}/`);
    expect(check(`https://${host}/`, { privateHosts: [written] })).toContain('link-local');
  });

  test.each(['8.8.8.8', '[2606:4700::1]', '[64:ff9b::8.8.8.8]', '[64:ff9b::808:0]'])(
    'to the public address %s',
    (host) => {
      const { host: written } = new URL(`https://${host}/`);
      expect(check(`https://${host}/`, { hosts: [written] })).toBe('');
    },
  );

  test('never to the place where Lambda hands out events', () => {
    const before = process.env['AWS_LAMBDA_RUNTIME_API'];
    process.env['AWS_LAMBDA_RUNTIME_API'] = '127.0.0.1:9001';
    try {
      for (const host of ['127.0.0.1:9001', 'localhost:9001', '127.1.2.3:9001', '[::1]:9001'])
        expect(
          check(`http://${host}/2018-06-01/runtime/invocation/next`, { privateHosts: [host] }),
        ).toContain('hands this function its events');
      expect(check('http://127.0.0.1:9002/', { privateHosts: ['127.0.0.1:9002'] })).toBe('');
    } finally {
      if (before === undefined) delete process.env['AWS_LAMBDA_RUNTIME_API'];
      else process.env['AWS_LAMBDA_RUNTIME_API'] = before;
    }
  });

  test.each([true, false])('not to a name with a private address, whoever asks (all: %s)', async (all) => {
    const look = (allowPrivate: boolean) =>
      new Promise<unknown>((resolve) => {
        guardedLookup('localhost', allowPrivate)('localhost', { all, family: 4 }, (error, address) =>
          resolve(error ?? address),
        );
      });
    expect(await look(false)).toMatchObject({ name: 'EgressRefused' });
    expect(await look(true)).toEqual(all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1');
  });

  test.each([
    ['localhost', true],
    ['127.9.9.9', true],
    ['[::1]', true],
    ['localhost.evil.test', false],
    ['127.0.0.1.evil.test', false],
  ])('as plain HTTP to %s: %s', (host, expected) => expect(isLoopback(host)).toBe(expected));
});
