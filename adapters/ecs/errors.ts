import { defineAdapterError } from '../errors';

/** The cluster has no service of that name. */
export class ServiceMissing extends defineAdapterError('ServiceMissing', true) {}
/** The service was deleted, or is being deleted. */
export class ServiceInactive extends defineAdapterError('ServiceInactive', true) {}
/** The service is not deployed by Amazon ECS's own rolling updates, so that nobody here can begin or follow one. */
export class DeploymentUnsupported extends defineAdapterError('DeploymentUnsupported', true) {}
