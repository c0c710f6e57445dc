import { ServiceError } from '../kernel/service';
import type { HttpRequest } from './http-message';
import { header } from './http-message';
import type { Protocol } from './protocol';
import { queryErrorCodes } from './sqs-query-errors';
import { parseJsonObject, toJsonValue } from './wire-values';

/** Service id and JSON version by the prefix of X-Amz-Target. */
const targets: Readonly<Record<string, { readonly service: string; readonly version: '1.0' | '1.1' }>> = {
  secretsmanager: { service: 'secretsmanager', version: '1.1' },
  AWSStepFunctions: { service: 'sfn', version: '1.0' },
  AWSEvents: { service: 'eventbridge', version: '1.1' },
  AmazonSSM: { service: 'ssm', version: '1.1' },
  TrentService: { service: 'kms', version: '1.1' },
  AmazonSQS: { service: 'sqs', version: '1.0' },
  Logs_20140328: { service: 'logs', version: '1.1' },
  AmazonEC2ContainerServiceV20141113: { service: 'ecs', version: '1.1' },
};

const versions = new Map(Object.values(targets).map(({ service, version }) => [service, version]));

function contentType(service: string): string {
  return `application/x-amz-json-${versions.get(service) ?? '1.1'}`;
}

/** AWS JSON 1.0 and 1.1: the operation in a header, input and output as JSON. */
export const jsonProtocol: Protocol = {
  name(request: HttpRequest) {
    const target = header(request.headers, 'x-amz-target');
    const dot = target.lastIndexOf('.');
    const prefix = target.slice(0, Math.max(dot, 0));
    return {
      // A service that is not here keeps its own name, so that the refusal can say it.
      service: targets[prefix]?.service ?? prefix.replace(/_?\d{8}$/, '').toLowerCase(),
      operation: target.slice(dot + 1),
    };
  },

  input(request) {
    if (header(request.headers, 'content-encoding') !== '')
      throw new ServiceError(
        'SerializationException',
        'The embedded cloud does not read compressed requests.',
      );
    return parseJsonObject(request.body);
  },

  answer({ service }, output, requestId) {
    return {
      statusCode: 200,
      headers: { 'content-type': contentType(service), 'x-amzn-requestid': requestId },
      body: JSON.stringify(toJsonValue(output)),
    };
  },

  fail({ service }, error, requestId) {
    const message = service === 'secretsmanager' ? 'Message' : 'message';
    const body = { __type: error.code, [message]: error.message, ...error.members };
    const query = service === 'sqs' ? (queryErrorCodes[error.code] ?? error.code) : undefined;
    return {
      statusCode: error.statusCode,
      headers: {
        'content-type': contentType(service),
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': error.code,
        ...(query !== undefined && {
          'x-amzn-query-error': `${query};${error.statusCode < 500 ? 'Sender' : 'Receiver'}`,
        }),
      },
      body: JSON.stringify(toJsonValue(body)),
    };
  },
};
