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
  /** SecretString of an admin that has exactly the rights which the rotator's README asks for. */
  readonly admin: string;
  /** Logs in as the application. Rejects with the driver's own error. */
  login(secret: string, application: string): Promise<ApplicationSession>;
  /** Whether an error of `login` or `work` says that the target does not accept the credential. */
  isRefusedLogin(error: unknown): boolean;
  /** The same secret with a wrong password. */
  wrong(secret: string): string;
  /** The same secret at an address where nobody answers. */
  unreachable(secret: string): string;
  /** The values in a secret that must be found nowhere else. */
  sensitive(secret: string): readonly string[];
  /** How many of the principals that a rotation of this secret knows may log in at this moment. */
  live(): Promise<number>;
}

/** A running target, which may hold many credentials. */
export interface TargetServer {
  /**
   * Makes a credential with its data, its grants and its admin. Names differ from call to call.
   *
   * `adminArn` goes into the secret where its shape has a place for it (`masterarn`): pass it where the rotator's trait
   * `admin` is `required`.
   */
  provision(options?: { readonly adminArn?: string }): Promise<RehearsalTarget>;
  /** Everything that the target has logged, to look for secrets in. */
  logText(): Promise<string>;
  logins(): Promise<Logins>;
  /** Ends the target and removes what it kept. */
  stop(): Promise<void>;
}

/** How to have a real target for one rotator. */
export interface TargetKind {
  /** Starts a target that logs every statement that changes it. */
  start(): Promise<TargetServer>;
}
