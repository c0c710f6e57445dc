import type * as z from 'zod/mini';

/** One move of a secret from the value in use to the value that replaces it; exchanged when going back. */
export interface Change<Secret> {
  readonly from: Secret;
  readonly to: Secret;
}

/** What the functions hand to every verb beside the secrets themselves. */
export interface RotatorContext<Admin> {
  /** Credential allowed to change others at the target; absent where none is configured. */
  readonly admin: Admin | undefined;
  /** Reads the admin credential once more, for the case that it was rotated since; absent like `admin`. */
  readonly readAdminAgain: (() => Promise<Admin>) | undefined;
  /** Aborts shortly before the function's own deadline; a verb then ends with TargetUnreachable. */
  readonly signal: AbortSignal;
  /** Draws a password by the secret's policy. */
  readonly password: () => string;
}

/** What `apply` may know beyond the change itself. */
export interface ApplyOptions {
  /**
   * When `from` became the value in use. Sessions of `to`'s principal that began later belong to somebody who would
   * lose the password that is about to be reset: PrincipalInUse. Absent when going back: then `to` is made to work as
   * it worked before, and nothing that is merely untidy stands in the way.
   */
  readonly replacedAt?: Date;
}

/** What to look for in `usage`. */
export interface UsageQuery {
  /** The last acknowledgement: sessions begun later were opened by somebody who still uses the old credential. */
  readonly since: Date;
  /** How long to watch on one connection; at least two looks are taken, at its beginning and its end. */
  readonly watchMs: number;
}

/** Sessions of one principal, counted by who holds them. */
export interface SessionHolder {
  readonly application: string | null;
  readonly clientAddress: string | null;
  readonly count: number;
  /** ISO 8601; when the youngest of them began. */
  readonly newestBegan: string;
  /** ISO 8601; when the oldest of them began. */
  readonly oldestBegan: string;
}

/** Who uses the old credential. */
export interface Usage {
  /** Seen at any look, begun after `since`: logins with the old credential. */
  readonly begun: readonly SessionHolder[];
  /** Still open at the last look, begun before `since`: pooled sessions, which outlive a retirement. */
  readonly open: readonly SessionHolder[];
  readonly looks: number;
}

/** The outcome of `apply`, for the report. */
export interface Applied {
  /**
   * Where there is no overlap: since when `from` no longer works, ISO 8601. Absent where there is no gap, or where a
   * repeat finds the change made by an earlier call, whose time nobody recorded.
   */
  readonly gapBegan?: string;
}

/**
 * Changes one kind of credential at the system that checks it.
 *
 * Every verb may be called again with the same arguments after a crash at any point, and must then reach the same end
 * state. Verbs hold no state between calls. Errors are those of domain/errors.ts; a driver's errors are classified in
 * one file per engine.
 */
export interface Rotator<Secret, Admin = Secret> {
  /** Builds the replacement. Touches the target only if the target mints the credential. */
  create(from: Secret, context: RotatorContext<Admin>): Promise<Secret>;
  /** Makes the target accept `to`, whatever ran before, even its retirement. Unless overlap is `none`, `from` keeps working. */
  apply(change: Change<Secret>, context: RotatorContext<Admin>, options: ApplyOptions): Promise<Applied>;
  /** Logs in and does the least a consumer needs. Read-only. CredentialRejected, CredentialUnusable. */
  verify(secret: Secret, context: RotatorContext<Admin>): Promise<void>;
  /**
   * Says who uses `secret`, the credential that is to be retired. Only where `traits.usage` is true. The whole secret
   * and not its principal alone, because it says where the target is: the admin's secret need not (one that RDS manages
   * holds user name and password and nothing else).
   */
  usage?(secret: Secret, query: UsageQuery, context: RotatorContext<Admin>): Promise<Usage>;
  /** Stops `from` and leaves `to` working, reversibly where the target can. Already stopped is success. SamePrincipal. */
  retire(change: Change<Secret>, context: RotatorContext<Admin>): Promise<void>;
}

/** What the workflow and the infrastructure need to know without loading a driver. */
export interface RotatorTraits {
  /** What the target tolerates while consumers move. */
  readonly overlap: 'two-principals' | 'two-credentials' | 'none';
  /** Who invents the new credential. */
  readonly mint: 'rotator' | 'target';
  /** Whether the target can say who uses a credential. */
  readonly usage: boolean;
  /** Whether an admin credential is needed. */
  readonly admin: 'required' | 'optional' | 'none';
  /** Where the target is reached. */
  readonly network: 'vpc' | 'public';
  /** What the functions that reach the target need in IAM beyond Secrets Manager. */
  readonly iam: readonly { readonly actions: readonly string[]; readonly resources: readonly string[] }[];
}

/** One rotator as its folder declares it; `seal` closes over its types. */
export interface RotatorDefinition<Secret extends object, Admin extends object = Secret> {
  readonly traits: RotatorTraits;
  /** Shape of the SecretString. Members that it does not know are kept. */
  readonly secret: z.ZodMiniType<Secret>;
  /** Shape of the admin's SecretString. */
  readonly admin: z.ZodMiniType<Admin>;
  /** Members that must never reach a log, an error or an event, of secret and admin alike. */
  readonly sensitive: readonly string[];
  /** Whether a secret that names no rotator in its policy is this one's, by what AWS documents about its shape. */
  claims(secret: Readonly<Record<string, unknown>>): boolean;
  /** The public name of the credential at the target (user name, key id); it may stand in history and events. */
  principal(secret: Secret): string;
  /** ARN of the admin's secret, where the secret itself names it. */
  adminArn(secret: Secret): string | undefined;
}

/** A rotator with its types closed over: SecretString in, SecretString out, errors redacted. */
export interface SealedRotator extends Omit<Rotator<string>, 'usage'> {
  readonly traits: RotatorTraits;
  readonly usage: NonNullable<Rotator<string>['usage']>;
  claims(secretString: string): boolean;
  principal(secretString: string): string;
  adminArn(secretString: string): string | undefined;
}
