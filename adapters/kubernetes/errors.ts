import { defineAdapterError } from '../errors';

/** The API server does not accept the token, not even a new one: the function's role has no access entry. */
export class ClusterUnauthorized extends defineAdapterError('ClusterUnauthorized', true) {}
/** The token is accepted and its holder may not do this: a rule is missing in the Role. */
export class ClusterForbidden extends defineAdapterError('ClusterForbidden', true) {}
/** There is no such object, or the cluster does not know its kind. */
export class ObjectNotFound extends defineAdapterError('ObjectNotFound', true) {}
/** Somebody else changed the object in between. */
export class ObjectConflict extends defineAdapterError('ObjectConflict', false) {}
/** The API server did not take the request as it is, for instance by an admission webhook. */
export class ClusterRefused extends defineAdapterError('ClusterRefused', true) {}
/** The API server is overloaded or failing. */
export class ClusterFailing extends defineAdapterError('ClusterFailing', false) {}
/** What the API server answers is not the object that was asked for. */
export class AnswerMalformed extends defineAdapterError('AnswerMalformed', true) {}
/** Roll-outs of the Deployment are paused. */
export class WorkloadPaused extends defineAdapterError('WorkloadPaused', true) {}
/** The workload replaces pods only when somebody deletes them. */
export class UpdatesOnDelete extends defineAdapterError('UpdatesOnDelete', true) {}
/** The StatefulSet leaves pods below a partition as they are. */
export class RolloutPartitioned extends defineAdapterError('RolloutPartitioned', true) {}
/** The operator never fetches this ExternalSecret again: CreatedOnce, an interval of zero, or an immutable target. */
export class ExternalSecretFixed extends defineAdapterError('ExternalSecretFixed', true) {}
/** The operator could not fetch the secret; with its condition's message. */
export class ExternalSecretFailed extends defineAdapterError('ExternalSecretFailed', true) {}
/** The operator has not fetched the secret yet. */
export class ExternalSecretPending extends defineAdapterError('ExternalSecretPending', false) {}
