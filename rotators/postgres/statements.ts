import { escapeIdentifier, escapeLiteral } from 'pg';
import type { Session } from './connection';

/** A role, as far as a rotation is concerned. */
export interface Role {
  readonly oid: string;
  readonly canLogin: boolean;
  readonly replication: boolean;
  readonly connectionLimit: number;
  /** As PostgreSQL writes it; null: for ever. */
  readonly validUntil: string | null;
}

/** Keeps two rotations of one user apart, until the transaction ends. */
export async function lockPrincipal(session: Session, base: string): Promise<void> {
  await session.query(`select pg_advisory_xact_lock(hashtext('rotor'), hashtext($1))`, [base]);
}

/** Reads one role; undefined where there is none. */
export async function readRole(session: Session, name: string): Promise<Role | undefined> {
  const [role] = await session.query<Role>(
    `select oid::text as oid, rolcanlogin as "canLogin", rolreplication as replication,
            rolconnlimit as "connectionLimit", rolvaliduntil::text as "validUntil"
       from pg_roles where rolname = $1`,
    [name],
  );
  return role;
}

/** Makes a role that nobody can log in as yet. */
export async function createRole(session: Session, name: string): Promise<void> {
  await session.query(`create role ${escapeIdentifier(name)} nologin inherit`);
}

/** Lets `name` log in with the password that the verifier was made of. */
export async function allowLogin(session: Session, name: string, verifier: string): Promise<void> {
  await session.query(`alter role ${escapeIdentifier(name)} login password ${escapeLiteral(verifier)}`);
}

/** Replaces the password alone, which is all that a user may do for itself. */
export async function setPassword(session: Session, name: string, verifier: string): Promise<void> {
  await session.query(`alter role ${escapeIdentifier(name)} password ${escapeLiteral(verifier)}`);
}

/** Stops logins as `name` and keeps its password, so that undoing it needs nobody who knows it. */
export async function refuseLogin(session: Session, name: string): Promise<void> {
  await session.query(`alter role ${escapeIdentifier(name)} nologin`);
}

/**
 * Makes `member` able to act as `group` and to use its rights before it does (CONNECT is checked before `role` is set).
 * Nothing is granted that is there already: from PostgreSQL 16 the same grant by another grantor is a second one.
 */
export async function ensureMembership(session: Session, member: string, group: string): Promise<void> {
  // Only from PostgreSQL 16 does a grant say apart whether rights are inherited and whether SET ROLE is allowed.
  const [has] = await session.query<{ all: boolean; separate: boolean }>(
    `select pg_has_role($1::name, $2::name, 'USAGE') and pg_has_role($1::name, $2::name, kind) as "all", separate
       from (select case when v >= 160000 then 'SET' else 'MEMBER' end as kind, v >= 160000 as separate
               from (select current_setting('server_version_num')::int as v) as version) as options`,
    [member, group],
  );
  if (has?.all === true) return;
  const options = has?.separate === true ? ' with inherit true, set true' : '';
  await session.query(`grant ${escapeIdentifier(group)} to ${escapeIdentifier(member)}${options}`);
}

/** Gives `name` the limits and the one attribute that acting as another role does not bring. */
export async function copyLimits(session: Session, name: string, base: Role): Promise<void> {
  const until = escapeLiteral(base.validUntil ?? 'infinity');
  // REPLICATION is checked at login, before `role` is set; naming it at all needs a right that most admins lack.
  const replication = base.replication ? ' replication' : '';
  await session.query(
    `alter role ${escapeIdentifier(name)} inherit connection limit ${base.connectionLimit} valid until ${until}${replication}`,
  );
}

/** Objects of one database that a role owns. */
export interface Ownership {
  /** Null for what belongs to the whole server: databases and tablespaces. */
  readonly database: string | null;
  readonly objects: number;
}

/** Counts what a role owns, in all databases: pg_shdepend is shared by them. */
export function readOwnership(session: Session, oid: string): Promise<readonly Ownership[]> {
  return session.query<Ownership>(
    `select d.datname as database, count(*)::int as objects
       from pg_shdepend s left join pg_database d on d.oid = s.dbid
      where s.refclassid = 'pg_authid'::regclass and s.refobjid = $1::oid and s.deptype = 'o'
      group by 1 order by 1`,
    [oid],
  );
}
