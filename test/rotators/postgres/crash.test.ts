import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import { rotators } from '../../../rotators/registry';
import { staysWholeWhenCutOff } from '../cut-off';

const names = ['postgres-single', 'postgres-alternating'] as const;

let targets: PostgresTargets;

beforeAll(async () => {
  targets = await startPostgresTargets({});
});
afterAll(() => targets.stop());

for (const name of names)
  staysWholeWhenCutOff(name, () => ({
    port: targets.server.port,
    provision: () => targets.provision({ adminArn: 'arn:of:admin' }),
    afterApply: async ({ to, works, repeated }) => {
      if (repeated || name !== 'postgres-alternating') return;
      // All of it has happened, or nothing: no user that is half made.
      const made = await targets.asSuperuser(
        `select 1 from pg_roles where rolname = '${rotators[name].principal(to, {})}'`,
      );
      expect(made.length === 1).toBe(await works(to));
    },
  }));
