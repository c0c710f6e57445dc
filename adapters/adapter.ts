import type * as z from 'zod/mini';

/** What an application is to run on: the version that AWSCURRENT names, and why. */
export interface RolledOut {
  /** Name of the application, as it is enrolled. */
  readonly consumer: string;
  readonly secret: { readonly arn: string; readonly name: string };
  /** The version to load: the same for every reminder of one rotation. */
  readonly versionId: string;
  readonly rotationId: string;
}

/** How far a roll-out is. A reason is public: it ends in the alert and in the execution's history. */
export type Progress =
  | { readonly state: 'working' }
  /** Every instance has loaded the version. */
  | { readonly state: 'done' }
  /** It cannot work with the version, and was brought back to what it was as far as the service does that. */
  | { readonly state: 'refused'; readonly reason: string };

/**
 * Makes an application that cannot be changed load a version of its secret, and says when it has.
 *
 * Both verbs hold no state between calls: an invocation can end at any point and another one, or a reminder, goes on.
 */
export interface Adapter {
  /**
   * Begins the roll-out. Called again for the same version it finds what was begun and does nothing: a reminder must not
   * restart an application twice.
   */
  begin(version: RolledOut, signal: AbortSignal): Promise<void>;
  /** Looks once how far the roll-out of this version is. Read-only. */
  look(version: RolledOut, signal: AbortSignal): Promise<Progress>;
}

/** What an adapter's role may do, beside reading labels and acknowledging. */
export interface AdapterGrant {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What the infrastructure has to know about an adapter, without loading an SDK. */
export interface AdapterDefinition<Settings extends object> {
  /** Shape of what it is told; strict, so that a misspelt field is refused by name. Public, never a secret. */
  readonly settings: z.ZodMiniType<Settings>;
  /** Values may be CDK tokens. */
  grants(settings: Settings): readonly AdapterGrant[];
  /** How long to wait between two looks, in seconds. */
  readonly lookEverySeconds: number;
}
