import { startMysqlTargets, type MysqlTargets } from '../../../local/targets/mysql-target';
import { rotators } from '../../../rotators/registry';
import { staysWholeWhenCutOff } from '../cut-off';

let targets: MysqlTargets;

beforeAll(async () => {
  targets = await startMysqlTargets();
});
afterAll(() => targets.stop());

for (const name of ['mysql-alternating', 'mysql-single'] as const)
  staysWholeWhenCutOff(name, () => ({
    port: targets.server.port,
    provision: () => targets.provision({ adminArn: 'arn:of:admin', hosts: ['%', '10.%'] }),
    afterApply: async ({ target, repeated }) => {
      if (!repeated || name !== 'mysql-alternating') return;
      const rights = (user: string) =>
        targets.asSuperuser(
          `select table_schema, privilege_type from information_schema.schema_privileges
            where grantee like '\\'${user}\\'@%' order by 1, 2`,
        );
      const user = rotators[name].principal(target.secret, {});
      expect(await rights(`${user}_clone`)).toEqual(await rights(user));
    },
  }));
