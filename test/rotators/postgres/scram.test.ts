import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import { rotators } from '../../../rotators/registry';
import { scramVerifier } from '../../../rotators/postgres/scram';
import { contextFor, withMembers } from '../context';

/** Each is a password as somebody may have one; what SASLprep does to it is the comment. */
const passwords = {
  ascii: 'pencil',
  quotes: `a'b"c\\d$e$$ f;--`,
  umlauts: 'Grüße, Größe',
  'a combining accent': 'cafe\u0301', // composed
  'a ligature': 'o\ufb03ce', // taken apart
  'a soft hyphen': 'soft\u00adhyphen', // dropped
  'a no-break space': 'no\u00a0break', // a plain space
  'an ideographic space': '全角\u3000空白',
  emoji: 'p🔑w',
};

describe('SCRAM verifiers', () => {
  let targets: PostgresTargets;

  beforeAll(async () => {
    targets = await startPostgresTargets({});
  });
  afterAll(() => targets.stop());

  test.each(Object.entries(passwords))('with %s are what PostgreSQL itself computes', async (_, password) => {
    const literal = `'${password.replaceAll("'", "''")}'`;
    await targets.asSuperuser(`drop role if exists scram; create role scram login password ${literal}`);
    const [row] = await targets.asSuperuser<{ verifier: string }>(
      `select rolpassword as verifier from pg_authid where rolname = 'scram'`,
    );
    const salt = /^SCRAM-SHA-256\$4096:([^$]+)\$/.exec(row?.verifier ?? '')?.[1] ?? '';
    expect((await scramVerifier(password, Buffer.from(salt, 'base64'))) === row?.verifier).toBe(true);
  });

  test.each(Object.entries(passwords))('with %s let the user in', async (_, password) => {
    const target = await targets.provision({ adminArn: 'arn:of:admin' });
    const rotator = rotators['postgres-single'];
    const to = withMembers(target.secret, { password });
    await rotator.apply({ from: target.secret, to }, contextFor(target), {});
    await rotator.verify(to, contextFor(target));
  });

  test('differ from time to time, since their salt is random', async () => {
    expect((await scramVerifier('pencil')) === (await scramVerifier('pencil'))).toBe(false);
  });
});
