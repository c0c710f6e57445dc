import { TargetRefused } from '../../domain/errors';
import { withoutQuoted } from './quoting';

/** What an account may do, as SHOW GRANTS says it; names stay quoted as the server quotes them. */
export interface Grants {
  /** By what they are for: `*.*`, a database, a table, a routine, a user to act for (PROXY). */
  readonly objects: ReadonlyMap<string, ObjectGrants>;
  /** What MySQL's partial revokes take away again, by database. */
  readonly restrictions: ReadonlyMap<string, ReadonlySet<string>>;
  /** Roles, and whether they may be passed on. */
  readonly roles: ReadonlyMap<string, boolean>;
}

interface ObjectGrants {
  /** `SELECT`, or for a column of a table `SELECT (`c`)`. */
  readonly privileges: ReadonlySet<string>;
  readonly grantable: boolean;
}

const none: ObjectGrants = { privileges: new Set(), grantable: false };
const all = 'ALL PRIVILEGES';

/**
 * Reads the lines of SHOW GRANTS for one account.
 *
 * Not by privilege: new versions have new ones. Lines of others, such as MariaDB's PUBLIC, are left out, and default roles
 * are told elsewhere. TargetRefused for a line of another form.
 */
export function readGrants(lines: readonly string[], user: string): Grants {
  const objects = new Map<string, ObjectGrants>();
  const restrictions = new Map<string, Set<string>>();
  const roles = new Map<string, boolean>();
  for (const line of lines) {
    const bare = withoutQuoted(line);
    if (/^SET DEFAULT ROLE /.test(bare)) continue;
    const parts = partsOf(line, bare);
    if (parts === undefined)
      throw new TargetRefused(`SHOW GRANTS for ${user} has a line of a form unknown here`);
    if (!parts.isAccount) continue;
    const { verb, list, object, tail } = parts;
    if (object === undefined) {
      for (const role of split(list)) roles.set(role, / WITH ADMIN OPTION/.test(tail));
    } else if (verb === 'REVOKE') {
      restrictions.set(object, new Set([...(restrictions.get(object) ?? []), ...privilegesIn(list)]));
    } else {
      const before = objects.get(object) ?? none;
      objects.set(object, {
        privileges: new Set([...before.privileges, ...privilegesIn(list)]),
        grantable: before.grantable || / WITH (?:.* )?GRANT OPTION/.test(tail),
      });
    }
  }
  return { objects, restrictions, roles };
}

/** The statements that give `account` what `wanted` has and it lacks, and then take away what only it has. */
export function grantStatements(wanted: Grants, present: Grants, account: string): readonly string[] {
  const gives: string[] = [];
  const takes: string[] = [];
  for (const [role, admin] of present.roles)
    if (!wanted.roles.has(role) || (admin && wanted.roles.get(role) === false))
      gives.push(`revoke ${role} from ${account}`);
  for (const [role, admin] of wanted.roles)
    if (present.roles.get(role) !== admin)
      gives.push(`grant ${role} to ${account}${admin ? ' with admin option' : ''}`);
  for (const object of new Set([...wanted.objects.keys(), ...present.objects.keys()])) {
    const want = wanted.objects.get(object) ?? none;
    const have = present.objects.get(object) ?? none;
    const [give, take] = isProxy(want, have)
      ? proxyStatements(object, want, have, account)
      : objectStatements(object, want, have, account);
    gives.push(...give);
    takes.push(...take);
  }
  for (const database of new Set([...wanted.restrictions.keys(), ...present.restrictions.keys()])) {
    const want = wanted.restrictions.get(database) ?? new Set();
    const have = present.restrictions.get(database) ?? new Set();
    const more = without(want, have);
    const fewer = without(have, want);
    if (fewer.length > 0) takes.push(`grant ${fewer.join(', ')} on ${database} to ${account}`);
    if (more.length > 0) takes.push(`revoke ${more.join(', ')} on ${database} from ${account}`);
  }
  return [...gives, ...takes];
}

function objectStatements(
  object: string,
  want: ObjectGrants,
  have: ObjectGrants,
  account: string,
): readonly [string[], string[]] {
  const gives: string[] = [];
  const takes: string[] = [];
  let held = have.privileges;
  if (held.has(all) && !want.privileges.has(all)) {
    // ALL cannot be taken away in part.
    if (want.privileges.size > 0) gives.push(`revoke ${all} on ${object} from ${account}`);
    else takes.push(`revoke ${all} on ${object} from ${account}`);
    held = new Set();
  }
  const missing = without(want.privileges, held);
  const option = want.grantable && !have.grantable;
  if (missing.length > 0 || option)
    gives.push(
      `grant ${missing.length === 0 ? 'USAGE' : missing.join(', ')} on ${object} to ${account}${option ? ' with grant option' : ''}`,
    );
  const extra = want.privileges.has(all) ? [] : without(held, want.privileges);
  if (extra.length > 0) takes.push(`revoke ${extra.join(', ')} on ${object} from ${account}`);
  if (have.grantable && !want.grantable) takes.push(`revoke GRANT OPTION on ${object} from ${account}`);
  return [gives, takes];
}

/** PROXY knows neither USAGE nor taking back the option alone. */
function proxyStatements(
  object: string,
  want: ObjectGrants,
  have: ObjectGrants,
  account: string,
): readonly [string[], string[]] {
  const had = have.privileges.size > 0;
  const wants = want.privileges.size > 0;
  if (had && !wants) return [[], [`revoke PROXY on ${object} from ${account}`]];
  if (had && want.grantable === have.grantable) return [[], []];
  return [
    [
      ...(had && have.grantable ? [`revoke PROXY on ${object} from ${account}`] : []),
      `grant PROXY on ${object} to ${account}${want.grantable ? ' with grant option' : ''}`,
    ],
    [],
  ];
}

function isProxy(...grants: readonly ObjectGrants[]): boolean {
  return grants.some(({ privileges }) => privileges.has('PROXY'));
}

interface Parts {
  readonly verb: string;
  readonly list: string;
  /** Absent for roles. */
  readonly object: string | undefined;
  /** Whether the line is an account's: a role's name has no host, and PUBLIC none. */
  readonly isAccount: boolean;
  readonly tail: string;
}

/** Finds the parts where quotes cannot hide a key word, and cuts them out of the line itself. */
function partsOf(line: string, bare: string): Parts | undefined {
  const found = /^(GRANT|REVOKE) (.+?)( ON (.+?))?( TO | FROM )((\0+)(@\0+)?|PUBLIC)(.*)$/s.exec(bare);
  if (found === null) return undefined;
  const [, verb = '', list = '', on = '', object = '', , grantee = '', , host, tail = ''] = found;
  const start = verb.length + 1;
  const objectEnd = start + list.length + on.length;
  return {
    verb,
    list: line.slice(start, start + list.length),
    object: on === '' ? undefined : line.slice(objectEnd - object.length, objectEnd),
    isAccount: host !== undefined && grantee !== 'PUBLIC',
    tail,
  };
}

/** `SELECT (a, b), INSERT` is SELECT on two columns and INSERT; USAGE is nothing. */
function privilegesIn(list: string): readonly string[] {
  return split(list).flatMap((item) => {
    if (item === 'USAGE') return [];
    const open = withoutQuoted(item).indexOf(' (');
    if (open < 0) return [item];
    return split(item.slice(open + 2, -1)).map((column) => `${item.slice(0, open)} (${column})`);
  });
}

/** Splits at commas outside of quotes and parentheses. */
function split(list: string): readonly string[] {
  const bare = withoutQuoted(list);
  const items: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= bare.length; at++) {
    const character = bare[at];
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === undefined || (character === ',' && depth === 0)) {
      items.push(list.slice(start, at).trim());
      start = at + 1;
    }
  }
  return items;
}

function without(these: ReadonlySet<string>, those: ReadonlySet<string>): readonly string[] {
  return [...these].filter((one) => !those.has(one));
}
