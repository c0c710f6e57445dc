import type { ServiceError } from '../kernel/service';
import { StateFailure } from './failure';
import type { Json } from './json';
import { isObject, parseJson } from './json';

// Errors that the API models of the optimised integrations' operations declare. What is not declared surfaces as the
// service's general exception; access that is denied is the most frequent of that kind.
const declared: Readonly<Record<IntegrationName, ReadonlySet<string>>> = {
  lambda: new Set([
    'EC2AccessDeniedException',
    'InvalidParameterValueException',
    'InvalidRequestContentException',
    'KMSAccessDeniedException',
    'RequestTooLargeException',
    'ResourceConflictException',
    'ResourceNotFoundException',
    'ServiceException',
    'TooManyRequestsException',
    'UnsupportedMediaTypeException',
  ]),
  events: new Set(['InternalException', 'ResourceNotFoundException']),
  sns: new Set(['AuthorizationErrorException', 'InvalidParameterException', 'NotFoundException']),
  sqs: new Set(['InvalidMessageContentsException', 'QueueDoesNotExistException']),
  states: new Set(['ExecutionAlreadyExists', 'ExecutionLimitExceeded', 'StateMachineDoesNotExist']),
};

/** Services with an optimised integration, as a Resource names them. */
export type IntegrationName = 'events' | 'lambda' | 'sns' | 'sqs' | 'states';

const wording = {
  lambda: { prefix: 'Lambda', general: 'AWSLambdaException', service: 'AWSLambda' },
  events: { prefix: 'EventBridge', general: 'AmazonEventBridgeException', service: 'AmazonEventBridge' },
  sns: { prefix: 'SNS', general: 'AmazonSNSException', service: 'AmazonSNS' },
  sqs: { prefix: 'SQS', general: 'AmazonSQSException', service: 'AmazonSQS' },
  states: {
    prefix: 'StepFunctions',
    general: 'AWSStepFunctionsException',
    service: 'AWSStepFunctions',
  },
} satisfies Record<IntegrationName, object>;

// Codes on the wire that Java, in which AWS runs the integrations, calls something else.
const renamed: Readonly<Record<string, string>> = {
  'AWS.SimpleQueueService.NonExistentQueue': 'QueueDoesNotExistException',
  AuthorizationError: 'AuthorizationErrorException',
  InvalidParameter: 'InvalidParameterException',
  NotFound: 'NotFoundException',
  QueueDoesNotExist: 'QueueDoesNotExistException',
};

/** The failure of an optimised integration whose API call was refused. */
export function integrationFailure(
  integration: IntegrationName,
  error: ServiceError,
  requestId: string,
): StateFailure {
  const { prefix, general, service } = wording[integration];
  const name = renamed[error.code] ?? error.code;
  return new StateFailure(
    `${prefix}.${declared[integration].has(name) ? name : general}`,
    `${error.message} (Service: ${service}; Status Code: ${error.statusCode}; Error Code: ${error.code}; ` +
      `Request ID: ${requestId}; Proxy: null)`,
  );
}

/** The failure of an `aws-sdk:` task whose API call was refused; `service` is the SDK's name of it. */
export function sdkFailure(service: string, error: ServiceError, requestId: string): StateFailure {
  const undeclared = /^(AccessDenied|Throttling|UnrecognizedClient|Validation)/.test(error.code);
  const name = undeclared
    ? `${service}Exception`
    : error.code.endsWith('Exception')
      ? error.code
      : `${error.code}Exception`;
  return new StateFailure(
    `${service}.${name}`,
    `${error.message} (Service: ${service}, Status Code: ${error.statusCode}, Request ID: ${requestId})`,
  );
}

/** The failure of a function that did not return: its error's name, with what it said as the cause. */
export function functionFailure(payload: string): StateFailure {
  let name: Json | undefined;
  try {
    const document = parseJson(payload);
    name = isObject(document) ? document['errorType'] : undefined;
  } catch {
    name = undefined;
  }
  // A function that ends without naming its error is Lambda.Unknown.
  return new StateFailure(typeof name === 'string' && name !== '' ? name : 'Lambda.Unknown', payload);
}
