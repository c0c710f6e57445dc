/** Where in a deployment something went wrong. */
export interface FailurePlace {
  readonly stack: string;
  readonly logicalId?: string | undefined;
  readonly resourceType?: string | undefined;
  /** Path of the property, such as `Targets.0.Input`. */
  readonly property?: string | undefined;
}

/**
 * Ends a deployment: which stack, which logical id, which property, and why.
 *
 * `code` is `UnsupportedResourceType`, `UnsupportedProperty`, `UnsupportedFunction`, `TemplateInvalid`, or the code
 * of the service that refused the resource.
 */
export class DeploymentFailed extends Error {
  override readonly name = 'DeploymentFailed';

  constructor(
    readonly code: string,
    readonly reason: string,
    readonly place: FailurePlace,
    options?: { readonly cause?: unknown },
  ) {
    super(`${describe(place)}: ${code}: ${reason}`, options);
  }
}

function describe(place: FailurePlace): string {
  const type = place.resourceType === undefined ? '' : ` (${place.resourceType})`;
  const resource = place.logicalId === undefined ? '' : `, ${place.logicalId}${type}`;
  const property = place.property === undefined ? '' : `, ${place.property}`;
  return `stack ${place.stack}${resource}${property}`;
}

/** A fault in a template's text, thrown where the place is not known yet; the deployment adds it. */
export class TemplateFault extends Error {
  override readonly name = 'TemplateFault';

  constructor(
    readonly code: 'UnsupportedFunction' | 'UnsupportedProperty' | 'TemplateInvalid',
    message: string,
    readonly property?: string,
  ) {
    super(message);
  }
}
