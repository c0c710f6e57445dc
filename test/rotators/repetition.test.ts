import { SecretMalformed } from '../../domain/errors';
import { refuseRepetition } from '../../rotators/repetition';

const password = 'p4ss/word with "marks"';
const secret = { username: 'app', password };

describe('a secret whose credential', () => {
  test('stands in its own member alone passes', () => {
    expect(() => refuseRepetition(secret, ['password'], password)).not.toThrow();
  });

  test.each([
    ['url', { url: `redis://app:${encodeURIComponent(password)}@cache` }],
    ['nested', { nested: { list: [{ of: `x${password}x` }] } }],
    ['basic', { basic: Buffer.from(password).toString('base64') }],
  ])('stands in %s as well is refused by the name of the member', (name, more) => {
    const check = () => refuseRepetition({ ...secret, ...more }, ['password'], password, 'password');
    expect(check).toThrow(SecretMalformed);
    expect(check).toThrow(`secret repeats its password in ${name},`);
  });

  test('consists of several values may repeat none of them', () => {
    const check = () => refuseRepetition({ note: 'second value' }, [], ['first value', 'second value']);
    expect(check).toThrow('in note,');
  });

  test('is too short to be told from a word by chance passes', () => {
    expect(() => refuseRepetition({ password: 'app', username: 'app' }, ['password'], 'app')).not.toThrow();
  });
});
