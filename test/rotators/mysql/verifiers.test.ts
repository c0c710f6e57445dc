import { account, literal, startMysqlTargets, type MysqlTargets } from '../../../local/targets/mysql-target';
import { isVerifierOf, passwordPlugins, verifierOf } from '../../../rotators/mysql/verifiers';
import { rotators } from '../../../rotators/registry';
import { contextFor, withMembers } from '../context';

const passwords = ['pencil', `a'b"c\\d$e$$ f;--`, 'Grüße, Größe', '全角\u3000空白', 'p🔑w', 'x'.repeat(128)];

describe('what the server stores of a password', () => {
  let targets: MysqlTargets;

  beforeAll(async () => {
    targets = await startMysqlTargets();
  });
  afterAll(() => targets.stop());

  test.each(passwords)(
    'mysql_native_password: %# is what MariaDB itself computes, and lets the user in',
    async (password) => {
      const [row] = await targets.asSuperuser(`select password(${literal(password)}) as verifier`);
      expect(verifierOf('mysql_native_password', password)).toBe(row?.['verifier']);
      const target = await targets.provision();
      const to = withMembers(target.secret, { password });
      await rotators['mysql-single'].apply({ from: target.secret, to }, contextFor(target), {});
      await rotators['mysql-single'].verify(to, contextFor(target));
    },
  );

  test('caching_sha2_password: that of hashcat’s published example of a MySQL 8 server', () => {
    // https://hashcat.net/wiki/doku.php?id=example_hashes, mode 7401.
    const salt = Buffer.from('F9CC98CE08892924F50A213B6BC571A2C11778C5', 'hex').toString('latin1');
    const digest = '625479393559393965414D45316477456B484F41316E64484742577A2E3162785353526B7554584647562F';
    const expected = `$A$005$${salt}${Buffer.from(digest, 'hex').toString()}`;
    expect(verifierOf('caching_sha2_password', 'hashcat', salt)).toBe(expected);
    expect(isVerifierOf('caching_sha2_password', 'hashcat', expected)).toBe(true);
  });

  test.each([
    ['Hello world!', 'saltstring', '5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
    ['Grüße, lang '.repeat(9), 'abcdefghij./0123', 'ZEsxcUihO8M5NvVJUXLboP/BuiFqEJlVYVHA0Kk8wF.'],
  ])('sha256_password: as `openssl passwd -5` says of %j', (password, salt, digest) => {
    expect(verifierOf('sha256_password', password, salt)).toBe(`$5$${salt}$${digest}`);
  });

  test.each(passwordPlugins)('%s: is recognised, and that of another password is not', (plugin) => {
    for (const password of passwords) {
      const verifier = verifierOf(plugin, password);
      expect(isVerifierOf(plugin, password, verifier)).toBe(true);
      expect(isVerifierOf(plugin, `${password} `, verifier)).toBe(false);
      expect(isVerifierOf(plugin, password, '')).toBe(false);
    }
  });

  test('salts differ from time to time and keep what the servers expect of them', () => {
    const verifiers = Array.from({ length: 20 }, () => verifierOf('caching_sha2_password', 'pencil'));
    expect(new Set(verifiers).size).toBe(20);
    for (const verifier of verifiers) expect(verifier).toMatch(/^\$A\$005\$[./0-9A-Za-z]{63}$/);
  });

  test('an account that an old MariaDB made, without a plugin, has the native one', async () => {
    const target = await targets.provision({ adminArn: 'arn:of:admin', user: 'ancient' });
    await targets.asSuperuser(
      `update mysql.global_priv set Priv = json_remove(Priv, '$.plugin') where User = 'ancient'`,
      'flush privileges',
    );
    const rotator = rotators['mysql-alternating'];
    const to = await rotator.create(target.secret, contextFor(target), { versionId: 'next', others: [] });
    await rotator.apply({ from: target.secret, to }, contextFor(target), {});
    await rotator.verify(to, contextFor(target));
    expect(await targets.asSuperuser(`show create user ${account('ancient_clone', '%')}`)).toHaveLength(1);
  });
});
