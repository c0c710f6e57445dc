import { PermissionMissing } from '../../domain/errors';
import type { PasswordAccount } from './accounts';
import type { Session } from './connection';
import type { Account, Dialect } from './dialect';
import { grantStatements, readGrants, type Grants } from './grants';
import { accountName } from './quoting';
import { verifierOf } from './verifiers';

const nothing: Grants = { objects: new Map(), restrictions: new Map(), roles: new Map() };

/**
 * Makes one account of the clone what the base's account under the same host is: TLS, limits, expiry, rights, roles.
 *
 * Only the differences are sent, so that a turn of an unchanged user writes nothing but the password, and sessions of the
 * clone that are still open keep their rights throughout. A new account is made locked.
 */
export async function copyAccount(
  session: Session,
  dialect: Dialect,
  template: PasswordAccount,
  present: Account | undefined,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<void> {
  const name = accountName({ user, host: template.host });
  if (present === undefined) {
    const identified = dialect.identified(template.plugin, verifierOf(template.plugin, password));
    await session.query(`create user ${name} ${identified} ${template.clauses} account lock`);
  } else if (present.clauses !== template.clauses)
    await session.query(`alter user ${name} ${template.clauses}`);
  const wanted = await grantsOf(session, template);
  const had = present === undefined ? nothing : await grantsOf(session, present);
  for (const statement of grantStatements(wanted, had, name))
    await session.query(statement).catch((error: unknown) => {
      throw explained(
        error,
        `${name} is to have the rights of ${accountName(template)}; it lacks: ${statement}`,
      );
    });
  const roles = template.defaultRoles;
  if (roles.join() === (present?.defaultRoles ?? []).join()) return;
  const statement = dialect.setDefaultRoles(name, roles);
  await session.query(statement).catch((error: unknown) => {
    throw explained(error, `run once as an administrator: ${statement}`);
  });
}

async function grantsOf(session: Session, account: Account): Promise<Grants> {
  const rows = await session.query(`show grants for ${accountName(account)}`);
  // One column, whose name has the account's in it.
  return readGrants(
    rows.flatMap((row) => Object.values(row).map(String)),
    account.user,
  );
}

/** The admin can pass on what it has itself with GRANT OPTION, and the server's words do not say what that would be. */
function explained(error: unknown, remedy: string): unknown {
  return error instanceof PermissionMissing ? new PermissionMissing(`${error.message}; ${remedy}`) : error;
}
