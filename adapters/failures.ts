import { AdapterError } from './errors';

/** What of an error may be told, and whether a repeat could mend it. */
export interface Failure {
  readonly name: string;
  /** In words of this project, or of an AdapterError: what a service says may quote what it was given. */
  readonly what: string;
  readonly permanent: boolean;
}

/**
 * Errors of services that stay, whoever repeats: permissions, and what is not there or not as the settings say.
 *
 * Everything else counts as transient. That is the safe side: silence holds a rotation, a refusal turns it back.
 */
const permanentErrors: Readonly<Record<string, string>> = {
  AccessDenied: 'the adapter may not do this',
  AccessDeniedException: 'the adapter may not do this',
  UnauthorizedOperation: 'the adapter may not do this',
  AuthorizationError: 'the adapter may not do this',
  // The secret, the function, the alias.
  ResourceNotFoundException: 'what the settings or the request name does not exist',
  // Amazon ECS, UpdateService and DescribeServices.
  ClusterNotFoundException: 'there is no such cluster',
  ServiceNotFoundException: 'there is no such service in the cluster',
  ServiceNotActiveException: 'the service is not active',
  UnsupportedFeatureException: 'the service does not support this',
  PlatformUnknownException: 'the platform version of the service does not exist',
  // Inputs that are wrong once are wrong always.
  InvalidParameterException: 'the service does not take what the adapter asks for',
  InvalidParameterValueException: 'the service does not take what the adapter asks for',
  ValidationException: 'the service does not take what the adapter asks for',
  InvalidRequestContentException: 'the service does not take what the adapter asks for',
  // AWS Lambda.
  CodeStorageExceededException: 'the account holds as much code as it may; delete versions that nobody uses',
  CodeVerificationFailedException: 'the code signing configuration of the function refuses its code',
  CodeSigningConfigNotFoundException: 'the code signing configuration of the function does not exist',
  InvalidCodeSignatureException: 'the signature of the code is not valid',
  // Systems Manager, SendCommand.
  InvalidDocument: 'there is no such document, or it is not shared with the account',
  InvalidInstanceId: 'an instance of the settings is not managed by Systems Manager',
  InvalidParameters: 'the document does not take the parameters of the settings',
  DuplicateInstanceId: 'the settings name an instance twice',
  UnsupportedPlatformType: 'the document does not run on the platform of an instance',
  // Amazon RDS, DescribeDBProxies and DescribeDBProxyTargets.
  DBProxyNotFoundFault: 'there is no such proxy',
  DBProxyTargetGroupNotFoundFault: 'the proxy has no such target group',
  // KMS, through other services.
  KMSAccessDeniedException: 'the adapter may not use the key',
  KMSDisabledException: 'the key is disabled',
  KMSNotFoundException: 'the key does not exist',
  KMSInvalidStateException: 'the key cannot be used in its state',
};

/** Judges what was thrown, by its name alone. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof AdapterError)
    return { name: thrown.name, what: thrown.message, permanent: thrown.permanent };
  if (!(thrown instanceof Error)) return { name: 'Unknown', what: 'no error was given', permanent: false };
  const what = permanentErrors[thrown.name];
  if (what === undefined)
    return { name: codeOf(thrown) ?? thrown.name, what: 'it may pass', permanent: false };
  return { name: thrown.name, what: withAction(what, thrown.message), permanent: true };
}

/** Node's and drivers' errors are all called Error; their codes tell them apart. */
function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** IAM's refusals name the action, which is what whoever reads the reason has to know; nothing else of them is told. */
function withAction(what: string, message: string): string {
  const action = /not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)/.exec(message)?.[1];
  return action === undefined ? what : `${what}: ${action}`;
}
