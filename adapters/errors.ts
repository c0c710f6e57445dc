/**
 * Every error that adapters raise on purpose.
 *
 * Decide by `name`, which is a literal. Messages are public: a permanent one ends as the reason of a refusal, in the
 * alert and in the execution's history, so none of them quotes what a service said about settings, variables or values.
 */
export abstract class AdapterError extends Error {
  abstract override readonly name: string;
  /** Whether no repeat mends it: then the application refuses the version, with the name and the message as reason. */
  abstract readonly permanent: boolean;
}

/**
 * Makes the base of an error class.
 *
 * An adapter that knows failures of its own declares them so in its folder: `class WorkloadPaused extends
 * defineAdapterError('WorkloadPaused', true) {}`.
 */
export function defineAdapterError<const Name extends string, const Permanent extends boolean>(
  name: Name,
  permanent: Permanent,
) {
  return class extends AdapterError {
    override readonly name = name;
    readonly permanent = permanent;
  };
}

/** Lambda's time is up and the roll-out is not; the same event, tried again, goes on with it. */
export class AdapterStillWaiting extends defineAdapterError('AdapterStillWaiting', false) {}
/** The function lacks an environment variable, or holds one that is not of the right form. */
export class AdapterEnvironmentInvalid extends defineAdapterError('AdapterEnvironmentInvalid', false) {}
/** The adapter's settings are not what its definition takes; the message names the field. */
export class SettingsInvalid extends defineAdapterError('SettingsInvalid', true) {}
/** A request to try a version before AWSCURRENT names it, which no adapter can do. */
export class VerifyUnsupported extends defineAdapterError('VerifyUnsupported', true) {}
/** No version of the secret has the label AWSCURRENT, for the moment. */
export class NothingCurrent extends defineAdapterError('NothingCurrent', false) {}
