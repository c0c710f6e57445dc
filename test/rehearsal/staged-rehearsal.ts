import { silence } from '../../local/rehearsal/progress';
import { startRehearsal, type Rehearsal, type RehearsalSettings } from '../../local/rehearsal/rehearsal';
import {
  postgresKind,
  startPostgresTargets,
  type PostgresTargets,
} from '../../local/targets/postgres-target';
import { longDeadlineSeconds } from './failures';
import { optionsOf } from './options-of';

/** The secret and its admin, as the example names them. */
export const secretId = 'example/app';
export const adminId = 'example/app-admin';

/** Version ids with their labels. */
type Labels = Readonly<Record<string, readonly string[]>>;

/** A rehearsal with alternating users, and a superuser's view of its database. */
export class StagedRehearsal {
  private constructor(
    readonly rehearsal: Rehearsal,
    readonly targets: PostgresTargets,
  ) {}

  static async start(settings: Omit<RehearsalSettings, 'target'>): Promise<StagedRehearsal> {
    let targets: PostgresTargets | undefined;
    const rehearsal = await startRehearsal(optionsOf('--rotator', 'postgres-alternating'), silence, {
      quietSeconds: 0,
      slowMs: 0,
      settleMs: 120_000,
      deadlineSeconds: longDeadlineSeconds,
      ...settings,
      target: {
        facts: postgresKind.facts,
        start: async () => (targets = await startPostgresTargets({ log: 'ddl' })),
      },
    });
    if (targets === undefined) throw new Error('the rehearsal has not started its database');
    return new StagedRehearsal(rehearsal, targets);
  }

  get cloud() {
    return this.rehearsal.cloud;
  }

  async value(SecretId: string): Promise<string> {
    const { SecretString } = await this.cloud.call<{ SecretString: string }>(
      'secretsmanager',
      'GetSecretValue',
      {
        SecretId,
      },
    );
    return SecretString;
  }

  /** Writes AWSCURRENT by hand, as an operator does; answers the version's id. */
  async write(SecretId: string, SecretString: string): Promise<string> {
    const { VersionId } = await this.cloud.call<{ VersionId: string }>('secretsmanager', 'PutSecretValue', {
      SecretId,
      SecretString,
      ClientRequestToken: crypto.randomUUID(),
    });
    return VersionId;
  }

  async parameter(Name: string): Promise<string> {
    const { Parameter } = await this.cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', {
      Name,
    });
    return Parameter.Value;
  }

  async setParameter(Name: string, Value: string): Promise<void> {
    await this.cloud.call('ssm', 'PutParameter', { Name, Value, Type: 'String', Overwrite: true });
  }

  async labels(): Promise<Labels> {
    const { VersionIdsToStages: stages } = await this.cloud.call<{ VersionIdsToStages: Labels }>(
      'secretsmanager',
      'DescribeSecret',
      { SecretId: secretId },
    );
    return stages;
  }

  async versionWith(label: string): Promise<string | undefined> {
    return Object.entries(await this.labels()).find(([, labels]) => labels.includes(label))?.[0];
  }

  async moveLabel(
    VersionStage: string,
    move: { readonly to?: string; readonly from?: string },
  ): Promise<void> {
    await this.cloud.call('secretsmanager', 'UpdateSecretVersionStage', {
      SecretId: secretId,
      VersionStage,
      ...(move.to === undefined ? {} : { MoveToVersionId: move.to }),
      ...(move.from === undefined ? {} : { RemoveFromVersionId: move.from }),
    });
  }

  /** Texts of the alerts about failures that came since there were `since` mails; warnings are left out. */
  failures(since: number): readonly string[] {
    const texts = this.cloud.mails.slice(since).map(({ text }) => text);
    return texts.filter((text) => !text.startsWith('A rotation waits'));
  }

  /** All that a rotation could change at the target: roles with their password hashes, memberships and settings. */
  async roles(): Promise<readonly object[]> {
    return this.targets.asSuperuser(
      `select rolname, rolcanlogin, rolpassword, rolconnlimit, rolvaliduntil, rolcreaterole,
              (select array_agg(m.roleid::regrole::text || ' ' || m.admin_option order by 1)
                 from pg_auth_members m where m.member = a.oid) as member_of,
              (select array_agg(s.setdatabase || ' ' || s.setconfig::text order by 1)
                 from pg_db_role_setting s where s.setrole = a.oid) as settings
         from pg_authid a where oid >= 16384 order by rolname`,
    );
  }

  /** AWSCURRENT logs in, reads and writes. */
  async expectCurrentWorks(): Promise<void> {
    const session = await this.rehearsal.target.login(await this.value(secretId), 'check');
    await session.work();
    await session.close();
  }

  /** AWSPENDING is nowhere but on AWSCURRENT's version. */
  async expectNothingPending(): Promise<void> {
    const pending = await this.versionWith('AWSPENDING');
    if (pending !== undefined) expect(pending).toBe(await this.versionWith('AWSCURRENT'));
  }
}
