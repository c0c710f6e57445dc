import { grantStatements, readGrants } from '../../../rotators/mysql/grants';

const app = '`app`@`%`';
const clone = '`app_clone`@`%`';
const read = (...lines: readonly string[]) => readGrants(lines, 'app');
const difference = (wanted: readonly string[], present: readonly string[]) =>
  grantStatements(read(...wanted), read(...present), clone);

describe('reading SHOW GRANTS', () => {
  test('what MariaDB says is split by object, with columns apart, and passwords and limits skipped', () => {
    const grants = read(
      "GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*AB' REQUIRE SUBJECT '/CN=a TO b' WITH MAX_QUERIES_PER_HOUR 7",
      'GRANT SELECT (`a`, `b, (c)`), INSERT ON `shop`.`odd ON ``x`` TO (y)` TO `app`@`%` WITH GRANT OPTION',
      'GRANT EXECUTE ON PROCEDURE `shop`.`tidy` TO `app`@`%`',
      'GRANT PROXY ON `a`@`10.%` TO `app`@`%` WITH GRANT OPTION',
      'GRANT `reader` TO `app`@`%`',
      'GRANT `writer` TO `app`@`%` WITH ADMIN OPTION',
      'SET DEFAULT ROLE `reader` FOR `app`@`%`',
    );
    expect([...grants.objects]).toEqual([
      ['*.*', { privileges: new Set(), grantable: false }],
      [
        '`shop`.`odd ON ``x`` TO (y)`',
        { privileges: new Set(['SELECT (`a`)', 'SELECT (`b, (c)`)', 'INSERT']), grantable: true },
      ],
      ['PROCEDURE `shop`.`tidy`', { privileges: new Set(['EXECUTE']), grantable: false }],
      ['`a`@`10.%`', { privileges: new Set(['PROXY']), grantable: true }],
    ]);
    expect([...grants.roles]).toEqual([
      ['`reader`', false],
      ['`writer`', true],
    ]);
  });

  test('rights of a role and of everybody, which MariaDB lists too, are not the account’s', () => {
    const grants = read(
      'GRANT SELECT ON `shop`.* TO `app`@`%`',
      'GRANT DELETE ON `shop`.* TO `reader`',
      'GRANT INSERT ON `shop`.* TO PUBLIC',
    );
    expect([...grants.objects]).toEqual([
      ['`shop`.*', { privileges: new Set(['SELECT']), grantable: false }],
    ]);
  });

  test('what MySQL 8 says has several roles in a line, dynamic rights, and restrictions', () => {
    const grants = read(
      'GRANT SELECT, CREATE ROLE ON *.* TO `app`@`%` WITH GRANT OPTION',
      'GRANT APPLICATION_PASSWORD_ADMIN,XA_RECOVER_ADMIN ON *.* TO `app`@`%`',
      'REVOKE SELECT ON `mysql`.* FROM `app`@`%`',
      'GRANT `r1`@`%`,`r2`@`10.%` TO `app`@`%`',
    );
    expect(grants.objects.get('*.*')).toEqual({
      privileges: new Set(['SELECT', 'CREATE ROLE', 'APPLICATION_PASSWORD_ADMIN', 'XA_RECOVER_ADMIN']),
      grantable: true,
    });
    expect([...grants.restrictions]).toEqual([['`mysql`.*', new Set(['SELECT'])]]);
    expect([...grants.roles.keys()]).toEqual(['`r1`@`%`', '`r2`@`10.%`']);
  });

  test('what MySQL 5.7 says has accounts in single quotes', () => {
    expect([...read("GRANT SELECT ON `shop`.* TO 'app'@'%'").objects.keys()]).toEqual(['`shop`.*']);
  });

  test('a line of a form that is not known stops the rotation and is not copied in part', () => {
    expect(() => read('GRANT SOMETHING NEW')).toThrow(
      expect.objectContaining({ name: 'TargetRefused' }) as Error,
    );
  });
});

describe('the statements that make one account’s rights another’s', () => {
  test.each<[string, string[], string[], string[]]>([
    [
      'equal rights need none',
      [`GRANT SELECT ON \`s\`.* TO ${app}`],
      [`GRANT SELECT ON \`s\`.* TO ${clone}`],
      [],
    ],
    [
      'rights are given before others are taken',
      [`GRANT SELECT, INSERT (\`a\`) ON \`s\`.\`t\` TO ${app} WITH GRANT OPTION`],
      [`GRANT DELETE ON \`s\`.\`t\` TO ${clone}`, `GRANT SELECT ON \`old\`.* TO ${clone} WITH GRANT OPTION`],
      [
        `grant SELECT, INSERT (\`a\`) on \`s\`.\`t\` to ${clone} with grant option`,
        `revoke DELETE on \`s\`.\`t\` from ${clone}`,
        `revoke SELECT on \`old\`.* from ${clone}`,
        `revoke GRANT OPTION on \`old\`.* from ${clone}`,
      ],
    ],
    [
      'the option alone is given with USAGE',
      [`GRANT SELECT ON \`s\`.* TO ${app} WITH GRANT OPTION`],
      [`GRANT SELECT ON \`s\`.* TO ${clone}`],
      [`grant USAGE on \`s\`.* to ${clone} with grant option`],
    ],
    [
      'ALL includes what was there',
      [`GRANT ALL PRIVILEGES ON \`s\`.* TO ${app}`],
      [`GRANT SELECT ON \`s\`.* TO ${clone}`],
      [`grant ALL PRIVILEGES on \`s\`.* to ${clone}`],
    ],
    [
      'ALL is taken as a whole',
      [`GRANT SELECT ON \`s\`.* TO ${app}`],
      [`GRANT ALL PRIVILEGES ON \`s\`.* TO ${clone}`],
      [`revoke ALL PRIVILEGES on \`s\`.* from ${clone}`, `grant SELECT on \`s\`.* to ${clone}`],
    ],
    [
      'PROXY loses its option by being given anew',
      [`GRANT PROXY ON \`a\`@\`%\` TO ${app}`],
      [`GRANT PROXY ON \`a\`@\`%\` TO ${clone} WITH GRANT OPTION`, `GRANT PROXY ON \`b\`@\`%\` TO ${clone}`],
      [
        `revoke PROXY on \`a\`@\`%\` from ${clone}`,
        `grant PROXY on \`a\`@\`%\` to ${clone}`,
        `revoke PROXY on \`b\`@\`%\` from ${clone}`,
      ],
    ],
    [
      'roles come, go, and lose their admin option',
      [`GRANT \`new\` TO ${app}`, `GRANT \`less\` TO ${app}`, `GRANT \`more\` TO ${app} WITH ADMIN OPTION`],
      [
        `GRANT \`old\` TO ${clone}`,
        `GRANT \`less\` TO ${clone} WITH ADMIN OPTION`,
        `GRANT \`more\` TO ${clone}`,
      ],
      [
        `revoke \`old\` from ${clone}`,
        `revoke \`less\` from ${clone}`,
        `grant \`new\` to ${clone}`,
        `grant \`less\` to ${clone}`,
        `grant \`more\` to ${clone} with admin option`,
      ],
    ],
    [
      'what a partial revoke takes away, the clone lacks too',
      [`GRANT SELECT ON *.* TO ${app}`, `REVOKE SELECT ON \`mysql\`.* FROM ${app}`],
      [`GRANT SELECT ON *.* TO ${clone}`, `REVOKE SELECT ON \`sys\`.* FROM ${clone}`],
      [`revoke SELECT on \`mysql\`.* from ${clone}`, `grant SELECT on \`sys\`.* to ${clone}`],
    ],
  ])('%s', (_, wanted, present, statements) => {
    expect(difference(wanted, present)).toEqual(statements);
  });
});
