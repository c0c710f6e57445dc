import type * as z from 'zod/mini';

/** One move of a secret from the value in use to the value that replaces it; exchanged when going back. */
export interface Change<Secret> {
  readonly from: Secret;
  readonly to: Secret;
}

/** What the functions hand to every verb beside the secrets themselves. */
export interface RotatorContext<Admin, Settings = unknown> {
  /** Credential allowed to change others at the target; absent where none is configured. */
  readonly admin: Admin | undefined;
  /** Reads the admin credential once more, for the case that it was rotated since; absent like `admin`. */
  readonly readAdminAgain: (() => Promise<Admin>) | undefined;
  /** What the policy says about this rotator's target (`settings`); public, like all of the policy. */
  readonly settings: Settings;
  /** Aborts shortly before the function's own deadline; a verb then ends with TargetUnreachable. */
  readonly signal: AbortSignal;
  /** Draws a password by the secret's policy. */
  readonly password: () => string;
}

/** What `create` may know beyond the value in use. */
export interface CreateOptions<Secret> {
  /** Id of the version that is made: the same at every repeat, and public. Whatever a target mints can be named by it. */
  readonly versionId: string;
  /**
   * Short public name of the secret, which no other secret has: with it in the name of what a target mints, what an earlier
   * rotation left there is told from what belongs to somebody else. Absent where nobody says whose rotation it is.
   */
  readonly owner?: string;
  /** When `from` became the value in use. */
  readonly replacedAt?: Date;
  /**
   * Values that carry the label AWSPREVIOUS and no other: an earlier rotation replaced them, and waited for those who used
   * them. Such a credential may be removed to make room; one that stands nowhere may not, unless nobody can have it. Empty
   * unless the target mints.
   */
  readonly others: readonly Secret[];
  /** Values under labels of somebody's own, by which an application may read them: such a credential is not touched. */
  readonly pinned?: readonly Secret[];
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
  /** ISO 8601; when the youngest of them began. Null where the target does not know. */
  readonly newestBegan: string | null;
  /** ISO 8601; when the oldest of them began. Null where the target does not know. */
  readonly oldestBegan: string | null;
  /** How long the oldest of them had been open when it was seen last, by the target's clock. Null where nobody knows. */
  readonly openSeconds: number | null;
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
export interface Rotator<Secret, Admin = Secret, Settings = unknown> {
  /**
   * Builds the replacement. Touches the target only if the target mints the credential; a repeat then finds or removes
   * what an earlier call has minted and nobody received, and whatever an earlier rotation has left to be removed.
   */
  create(
    from: Secret,
    context: RotatorContext<Admin, Settings>,
    options: CreateOptions<Secret>,
  ): Promise<Secret>;
  /** Makes the target accept `to`, whatever ran before, even its retirement. Unless overlap is `none`, `from` keeps working. */
  apply(
    change: Change<Secret>,
    context: RotatorContext<Admin, Settings>,
    options: ApplyOptions,
  ): Promise<Applied>;
  /** Logs in and does the least a consumer needs. Read-only. CredentialRejected, CredentialUnusable. */
  verify(secret: Secret, context: RotatorContext<Admin, Settings>): Promise<void>;
  /**
   * Says who uses `secret`, the credential that is to be retired. Only where the trait `usage` is true. The whole secret
   * and not its principal alone, because it says where the target is: the admin's secret need not (one that RDS manages
   * holds user name and password and nothing else).
   */
  usage?(secret: Secret, query: UsageQuery, context: RotatorContext<Admin, Settings>): Promise<Usage>;
  /**
   * Stops `from` and leaves `to` working. Reversibly, or not yet: see the trait `retirement`. Already stopped is success.
   * SamePrincipal where both are one and the same credential.
   */
  retire(change: Change<Secret>, context: RotatorContext<Admin, Settings>): Promise<void>;
  /**
   * Ends the sessions that are still open with `secret`, which was retired before, and says who held them. Only where the
   * trait `endsSessions` is true. Sessions of any other credential go on. No session left is success, and a repeat names
   * those alone that it has ended itself. PrincipalInUse where the credential is accepted: its sessions are in use, and
   * would come back.
   */
  end?(secret: Secret, context: RotatorContext<Admin, Settings>): Promise<readonly SessionHolder[]>;
}

/** A verb of the interface, as IAM and reports name it. */
export type Verb = 'create' | 'apply' | 'verify' | 'usage' | 'retire' | 'end';

/** What some verbs need in IAM beyond reading secrets. */
export interface VerbGrant {
  readonly verbs: readonly Verb[];
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** What the workflow and the infrastructure need to know without loading a driver. */
export interface RotatorTraits {
  /** What the target tolerates while consumers move. */
  readonly overlap: 'two-principals' | 'two-credentials' | 'none';
  /** Who invents the new credential. */
  readonly mint: 'rotator' | 'target';
  /** Whether the target can say who uses a credential. */
  readonly usage: boolean;
  /** Whether the sessions of a retired credential can be told from all others, and ended. Only with `usage`. */
  readonly endsSessions: boolean;
  /** Whether an admin credential is needed. */
  readonly admin: 'required' | 'optional' | 'none';
  /**
   * What `retire` does: stop the credential so that `apply` can bring it back (`reversible`), or leave it to the next
   * rotation (`deferred`), because the target could not give back what it took.
   */
  readonly retirement: 'reversible' | 'deferred';
  /** Where the target is reached; `none`: nobody but the consumers checks the value, so no verb can refuse it. */
  readonly network: 'vpc' | 'public' | 'none';
  /** What the functions need in IAM beyond Secrets Manager, by the verb that each of them calls. */
  readonly iam: readonly VerbGrant[];
  /** Most characters that the target takes as a password. Absent: the policy's own limit is enough. */
  readonly longestPassword?: number;
}

/** What the example stack writes until the operator puts in the true values, and what documentation shows. */
export interface RotatorExample {
  /** The secret, but for the member that `generated` names. */
  readonly secret: Readonly<Record<string, unknown>>;
  /** The admin's, where there is one, but for the same member. */
  readonly admin?: Readonly<Record<string, unknown>>;
  /** Member that holds the ARN of the admin's secret, where AWS documents one. */
  readonly adminMember?: string;
  /** Member that holds the credential itself. */
  readonly generated: string;
  /** What the policy says beside the rotator's name. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** One rotator as its folder declares it; `seal` closes over its types. */
export interface RotatorDefinition<Secret extends object, Admin extends object = Secret, Settings = object> {
  /** Known without a driver; only for `lambda` and the like do they depend on the settings. */
  traits(settings: Settings): RotatorTraits;
  /** Shape of the SecretString. Members that it does not know are kept. */
  readonly secret: z.ZodMiniType<Secret>;
  /** Shape of the admin's SecretString. */
  readonly admin: z.ZodMiniType<Admin>;
  /** Shape of the policy's `settings`: strict, so that a misspelt field is refused by name. `noSettings` for most. */
  readonly settings: z.ZodMiniType<Settings>;
  readonly example: RotatorExample;
  /** Values that must never reach a log, an error or an event, of secret and admin alike. */
  sensitive(secret: Secret | Admin, settings: Settings): readonly string[];
  /** Whether a secret that names no rotator in its policy is this one's, by what AWS documents about its shape. */
  claims(secret: Readonly<Record<string, unknown>>): boolean;
  /** The public name of the credential at the target (user name, key id); it may stand in history and events. */
  principal(secret: Secret, settings: Settings): string;
  /** ARN of the admin's secret, where the secret itself names it. */
  adminArn(secret: Secret): string | undefined;
}

/** A rotator with its types closed over: SecretString in, SecretString out, settings checked, errors redacted. */
export interface SealedRotator extends Required<Rotator<string, string>> {
  readonly example: RotatorExample;
  /** PolicyInvalid names the field of the settings that is wrong. */
  traits(settings: unknown): RotatorTraits;
  claims(secretString: string): boolean;
  principal(secretString: string, settings: unknown): string;
  adminArn(secretString: string): string | undefined;
}
