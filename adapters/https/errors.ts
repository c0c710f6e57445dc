import { defineAdapterError } from '../errors';

/** No answer: refused connection, timeout, unknown host, a connection that broke off. */
export class NoAnswer extends defineAdapterError('NoAnswer', false) {}
/** The server's certificate is not vouched for by the authority to be trusted, or is not that host's. */
export class CertificateUntrusted extends defineAdapterError('CertificateUntrusted', true) {}
/** An answer longer than any that is meant. */
export class AnswerTooLong extends defineAdapterError('AnswerTooLong', true) {}
/** The request would have gone to another host than the settings name, or to an address that they do not allow. */
export class AddressRefused extends defineAdapterError('AddressRefused', true) {}
/** The endpoint asks to come back later. */
export class EndpointBusy extends defineAdapterError('EndpointBusy', false) {}
/** The endpoint failed: a 5xx, or a status that asks for another try. */
export class EndpointFailing extends defineAdapterError('EndpointFailing', false) {}
/** The endpoint does not take the request: a redirect, or a 4xx that is no word about the version. */
export class EndpointRefused extends defineAdapterError('EndpointRefused', true) {}
/** The secret of the signing key does not hold a key where the settings say. */
export class SigningKeyMissing extends defineAdapterError('SigningKeyMissing', true) {}
