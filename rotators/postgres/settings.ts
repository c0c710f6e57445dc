import { escapeIdentifier, escapeLiteral } from 'pg';
import { PermissionMissing } from '../../domain/errors';
import type { Session } from './connection';

/** What ALTER ROLE … SET has stored: by database (empty: all), by name. */
type Settings = ReadonlyMap<string, ReadonlyMap<string, string>>;

const allDatabases = '';

/**
 * Settings whose value is a list of names. PostgreSQL quotes each name when it stores them, so the stored value as one
 * literal would become one long name; the list is PostgreSQL's own (GUC_LIST_QUOTE), as pg_dump keeps it.
 */
const listsOfNames = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/**
 * Gives the clone the settings of the base, in all databases, and takes away those that the base no longer has.
 *
 * `role` is the one that differs: the clone acts as whatever the base acts as, which is the base itself unless it has a
 * `role` of its own. So everything that the clone creates belongs to the same owner.
 */
export async function copySettings(session: Session, base: string, clone: string): Promise<void> {
  const wanted = withRole(await readSettings(session, base), base);
  const present = await readSettings(session, clone);
  for (const database of new Set([...wanted.keys(), ...present.keys()])) {
    const want = wanted.get(database) ?? new Map<string, string>();
    const have = present.get(database) ?? new Map<string, string>();
    const where = database === allDatabases ? '' : ` in database ${escapeIdentifier(database)}`;
    const alter = (name: string, change: string) =>
      session.query(`alter role ${escapeIdentifier(clone)}${where} ${change}`).catch((error: unknown) => {
        throw error instanceof PermissionMissing ? parameterRight(error, name, clone) : error;
      });
    for (const name of have.keys()) if (!want.has(name)) await alter(name, `reset ${escapeIdentifier(name)}`);
    for (const [name, value] of want)
      if (have.get(name) !== value)
        await alter(name, `set ${escapeIdentifier(name)} to ${literalsOf(name, value)}`);
  }
}

/** Some settings are the superuser's to make, and a clone without them would not be the same user. */
function parameterRight({ message }: Error, name: string, clone: string): PermissionMissing {
  return new PermissionMissing(
    `${message}; ${clone} has to get this setting too: GRANT SET ON PARAMETER ${escapeIdentifier(name)} to the admin`,
  );
}

/** As which role a session of either user has to end up in the present database. */
export async function effectiveRole(session: Session, base: string): Promise<string> {
  const [row] = await session.query<{ role: string | null }>(
    `select substr(entry, 6) as role
       from pg_db_role_setting s join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) as entry
      where r.rolname = $1 and entry like 'role=%'
        and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
      order by s.setdatabase = 0 limit 1`,
    [base],
  );
  const role = row?.role ?? 'none';
  return role === 'none' ? base : role;
}

async function readSettings(session: Session, role: string): Promise<Settings> {
  const rows = await session.query<{ database: string | null; entry: string }>(
    `select d.datname as database, unnest(s.setconfig) as entry
       from pg_db_role_setting s join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
      where r.rolname = $1 and (s.setdatabase = 0 or d.oid is not null)`,
    [role],
  );
  const settings = new Map<string, Map<string, string>>();
  for (const { database, entry } of rows) {
    const split = entry.indexOf('=');
    const ofDatabase = settings.get(database ?? allDatabases) ?? new Map<string, string>();
    settings.set(database ?? allDatabases, ofDatabase.set(entry.slice(0, split), entry.slice(split + 1)));
  }
  return settings;
}

function withRole(settings: Settings, base: string): Settings {
  const everywhere = new Map(settings.get(allDatabases));
  const own = everywhere.get('role') ?? 'none';
  return new Map(settings).set(allDatabases, everywhere.set('role', own === 'none' ? base : own));
}

function literalsOf(name: string, value: string): string {
  if (!listsOfNames.has(name.toLowerCase())) return escapeLiteral(value);
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)].map(([whole, quoted]) =>
    escapeLiteral(quoted === undefined ? whole : quoted.replaceAll('""', '"')),
  );
  return names.length === 0 ? "''" : names.join(', ');
}
