import type { RotatingSecret } from '../../client';
import type { Cloud } from '../cloud';

/** A session of an application, as it would have one. */
export interface ApplicationSession {
  /** Reads and writes what the application has; rejects with the driver's own error. */
  work(): Promise<void>;
  close(): Promise<void>;
}

/** What the target's own log says about logins. */
export interface Logins {
  readonly accepted: readonly { readonly user: string; readonly application: string }[];
  readonly refused: readonly { readonly user: string }[];
}

/** One credential to rotate at a real target, with all that a rotation needs around it. */
export interface RehearsalTarget {
  /** SecretString of the credential in use at the beginning. */
  readonly secret: string;
  /** SecretString of an admin that has exactly the rights which the rotator's README asks for; absent where none is needed. */
  readonly admin?: string;
  /** What the policy of the secret says beside the rotator's name; absent: nothing. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Logs in as the application. Rejects with the driver's own error. */
  login(secret: string, application: string): Promise<ApplicationSession>;
  /** Works as a service does, through the client's own pool for this kind of target. Absent: one session, opened anew for each version. */
  serve?(secret: RotatingSecret, application: string): Promise<ApplicationSession>;
  /** Whether an error of `login` or `work` says that the target does not accept the credential. */
  isRefusedLogin(error: unknown): boolean;
  /** The same secret, or admin's secret, with a wrong credential in it. */
  wrong(secret: string): string;
  /** The same secret, or admin's secret, and the settings, at an address where nobody answers. Absent: the SDK's own address. */
  unreachable?(secret: string): {
    readonly secret: string;
    readonly settings: Readonly<Record<string, unknown>>;
  };
  /** The values in a secret that must be found nowhere else. */
  sensitive(secret: string): readonly string[];
  /** How many credentials of this secret the target accepts at this moment. */
  live(): Promise<number>;
}

/** A running target, which may hold many credentials. */
export interface TargetServer {
  /**
   * Makes a credential with its data, its grants and its admin. Names differ from call to call.
   *
   * `adminArn` goes into the secret where its shape has a place for it (`masterarn`): pass it where the rotator's example
   * has an `adminMember`.
   */
  provision(options?: { readonly adminArn?: string }): Promise<RehearsalTarget>;
  /** Everything that the target has logged, to look for secrets in. */
  logText(): Promise<string>;
  logins(): Promise<Logins>;
  /** Ends the target and removes what it kept. */
  stop(): Promise<void>;
}

/** What the contract suite has to know about a target before it runs. */
export interface TargetFacts {
  /** Whether the secret's shape alone says which rotator it is for; otherwise its policy must. */
  readonly claimed: boolean;
  /** Sessions that are open go on after their credential was stopped. */
  readonly sessionsOutlive: boolean;
  /** How many connections one verb takes at most; null where there are requests and no sessions to be counted. */
  readonly connectionsPerVerb: number | null;
  /** An admin is a credential of the same kind, so that it could be the one in rotation by mistake. */
  readonly adminIsPrincipal: boolean;
  /** Members without which, or with an empty text for which, a secret is malformed. */
  readonly required: readonly string[];
}

/** How to have a real target for one rotator. */
export interface TargetKind {
  readonly facts: TargetFacts;
  /**
   * Starts a target that logs every statement that changes it. A target that lies inside of AWS lives in `cloud`, or
   * starts a cloud of its own where none is given (and then sets AWS_ENDPOINT_URL and credentials of this process).
   */
  start(cloud?: Cloud): Promise<TargetServer>;
}
