import fc from 'fast-check';
import { redact } from '../../client/redaction';

const secret = JSON.stringify({
  engine: 'postgres',
  host: 'db.example',
  username: 'app',
  password: 'p w/"q\\',
  apiKey: 'inner-key',
  nested: { token: 12345678 },
});

describe('redact', () => {
  test('takes out a value as it is and as URLs, JSON and Base64 write it', () => {
    const password = 'p w/"q\\';
    const base64 = Buffer.from(password).toString('base64');
    const text = `a ${password} b ${encodeURIComponent(password)} c p w/\\"q\\\\ d ${base64} e inner-key f 12345678`;
    expect(redact(text, [secret])).toBe(
      'a [redacted] b [redacted] c [redacted] d [redacted] e [redacted] f [redacted]',
    );
  });

  test('keeps what is only an address, so that the reason still says something', () => {
    const text = 'password authentication failed for user "app" at db.example';
    expect(redact(text, [secret])).toBe(text);
  });

  test('drops the whole text when a value is too short to be replaced safely', () => {
    expect(redact('the code was x7', [JSON.stringify({ password: 'x7' })])).toBe('[redacted]');
  });

  test('treats a secret that is not JSON as one value', () => {
    expect(redact('failed with plain-text-key', ['plain-text-key'])).toBe('failed with [redacted]');
  });

  test('shortens only after redacting, so that no half of a value stays at the end', () => {
    const text = `${'x'.repeat(395)}inner-key`;
    expect(redact(text, [secret])).not.toContain('inne');
  });

  test('leaves no value behind, whatever the values are and wherever they stand', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), fc.string(), (values, around) => {
        const members = Object.fromEntries(values.map((value, index) => [`m${index}`, value]));
        const text = redact(`${around}${values.join(around)}`, [JSON.stringify(members)]);
        for (const value of values) expect('[redacted]'.includes(value) || !text.includes(value)).toBe(true);
      }),
    );
  });
});
