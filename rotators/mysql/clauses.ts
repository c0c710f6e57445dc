import { literal } from './quoting';

/** What an account has beside its password and its rights. */
export interface Clauses {
  readonly tls: 'none' | 'any' | 'x509' | 'specified';
  readonly cipher: string;
  readonly issuer: string;
  readonly subject: string;
  /** By the word of ALTER USER; 0: no limit. */
  readonly limits: Readonly<Record<string, number>>;
  /** Days until the password expires; 0: never; undefined: the server's own rule. */
  readonly lifetime: number | undefined;
}

/** Writes them as clauses of ALTER USER, the defaults too: whatever the account had before is replaced. */
export function clausesOf({ tls, cipher, issuer, subject, limits, lifetime }: Clauses): string {
  const certificate = [
    ['cipher', cipher],
    ['issuer', issuer],
    ['subject', subject],
  ]
    .filter(([, value]) => value !== '')
    .map(([word, value = '']) => `${word ?? ''} ${literal(value)}`);
  const requirement = { none: 'none', any: 'ssl', x509: 'x509', specified: certificate.join(' and ') }[tls];
  const limit = Object.entries(limits).map(([word, value]) => `${word} ${value}`);
  const expiry = lifetime === undefined ? 'default' : lifetime === 0 ? 'never' : `interval ${lifetime} day`;
  return `require ${requirement} with ${limit.join(' ')} password expire ${expiry}`;
}
