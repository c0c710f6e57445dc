import { ServiceError } from '../kernel/service';
import type { HttpRequest, HttpResponse } from './http-message';
import { header } from './http-message';
import type { Protocol } from './protocol';
import { isRecord, parseJsonObject, toJsonValue } from './wire-values';

interface Route {
  readonly method: string;
  /** Path with `{Member}` where a member of the input stands. */
  readonly path: string;
  readonly operation: string;
  readonly statusCode: number;
}

// From the API's model. Operations that the service lacks are refused there, by name.
const routes: readonly Route[] = [
  ['POST', '/2015-03-31/functions/{FunctionName}/invocations', 'Invoke', 200],
  ['GET', '/2015-03-31/functions', 'ListFunctions', 200],
  ['POST', '/2015-03-31/functions', 'CreateFunction', 201],
  ['GET', '/2015-03-31/functions/{FunctionName}', 'GetFunction', 200],
  ['DELETE', '/2015-03-31/functions/{FunctionName}', 'DeleteFunction', 204],
  ['GET', '/2015-03-31/functions/{FunctionName}/configuration', 'GetFunctionConfiguration', 200],
  ['PUT', '/2015-03-31/functions/{FunctionName}/configuration', 'UpdateFunctionConfiguration', 200],
  ['PUT', '/2015-03-31/functions/{FunctionName}/code', 'UpdateFunctionCode', 200],
  ['POST', '/2015-03-31/functions/{FunctionName}/policy', 'AddPermission', 201],
  ['GET', '/2015-03-31/functions/{FunctionName}/policy', 'GetPolicy', 200],
  ['DELETE', '/2015-03-31/functions/{FunctionName}/policy/{StatementId}', 'RemovePermission', 204],
  ['GET', '/2015-03-31/functions/{FunctionName}/versions', 'ListVersionsByFunction', 200],
  ['POST', '/2015-03-31/functions/{FunctionName}/versions', 'PublishVersion', 201],
  ['POST', '/2015-03-31/functions/{FunctionName}/aliases', 'CreateAlias', 201],
  ['GET', '/2015-03-31/functions/{FunctionName}/aliases/{Name}', 'GetAlias', 200],
  ['PUT', '/2015-03-31/functions/{FunctionName}/aliases/{Name}', 'UpdateAlias', 200],
  ['PUT', '/2017-10-31/functions/{FunctionName}/concurrency', 'PutFunctionConcurrency', 200],
  ['GET', '/2019-09-30/functions/{FunctionName}/concurrency', 'GetFunctionConcurrency', 200],
  ['DELETE', '/2017-10-31/functions/{FunctionName}/concurrency', 'DeleteFunctionConcurrency', 204],
  ['POST', '/2015-03-31/event-source-mappings', 'CreateEventSourceMapping', 202],
  ['GET', '/2015-03-31/event-source-mappings', 'ListEventSourceMappings', 200],
  ['GET', '/2015-03-31/event-source-mappings/{UUID}', 'GetEventSourceMapping', 200],
  ['PUT', '/2015-03-31/event-source-mappings/{UUID}', 'UpdateEventSourceMapping', 202],
  ['DELETE', '/2015-03-31/event-source-mappings/{UUID}', 'DeleteEventSourceMapping', 202],
  ['GET', '/2016-08-19/account-settings', 'GetAccountSettings', 200],
  ['GET', '/2017-03-31/tags/{Resource}', 'ListTags', 200],
  ['POST', '/2017-03-31/tags/{Resource}', 'TagResource', 204],
].map(([method, path, operation, statusCode]) => ({
  method: String(method),
  path: String(path),
  operation: String(operation),
  statusCode: Number(statusCode),
}));

interface Match {
  readonly route: Route;
  readonly members: Readonly<Record<string, string>>;
}

function match(request: HttpRequest): Match | undefined {
  // Clients write some of these paths with a slash at the end.
  const parts = request.path.replace(/\/$/, '').split('/');
  for (const route of routes) {
    if (route.method !== request.method) continue;
    const pattern = route.path.split('/');
    if (pattern.length !== parts.length) continue;
    const members: Record<string, string> = {};
    const fits = pattern.every((part, index) => {
      const given = parts[index] ?? '';
      const name = /^\{(.+)\}$/.exec(part)?.[1];
      if (name === undefined) return part === given;
      members[name] = decodeURIComponent(given);
      return given !== '';
    });
    if (fits) return { route, members };
  }
  return undefined;
}

/** Input of Invoke, whose members are headers and whose body is the payload itself. */
function invokeInput(request: HttpRequest): Record<string, unknown> {
  const optional = {
    InvocationType: header(request.headers, 'x-amz-invocation-type'),
    LogType: header(request.headers, 'x-amz-log-type'),
    ClientContext: header(request.headers, 'x-amz-client-context'),
    DurableExecutionName: header(request.headers, 'x-amz-durable-execution-name'),
    TenantId: header(request.headers, 'x-amz-tenant-id'),
    Payload: request.body.toString('utf8'),
  };
  return Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== ''));
}

function invokeAnswer(output: object, requestId: string): HttpResponse {
  const { StatusCode, FunctionError, LogResult, ExecutedVersion, Payload } = output as Record<
    string,
    unknown
  >;
  const headers = {
    'x-amz-function-error': FunctionError,
    'x-amz-log-result': LogResult,
    'x-amz-executed-version': ExecutedVersion,
  };
  return {
    statusCode: typeof StatusCode === 'number' ? StatusCode : 200,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': requestId,
      ...Object.fromEntries(
        Object.entries(headers).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
      ),
    },
    body: typeof Payload === 'string' ? Payload : '',
  };
}

/** Lambda's REST JSON: the operation in method and path, errors named in a header. */
export const lambdaProtocol: Protocol = {
  name(request) {
    const found = match(request);
    return { service: 'lambda', operation: found?.route.operation ?? `${request.method} ${request.path}` };
  },

  input(request) {
    const found = match(request);
    if (found === undefined)
      throw new ServiceError(
        'UnsupportedOperation',
        `The embedded cloud does not implement lambda:${request.method} ${request.path}.`,
      );
    const body = found.route.operation === 'Invoke' ? invokeInput(request) : parseJsonObject(request.body);
    return { ...Object.fromEntries(request.query), ...body, ...found.members };
  },

  answer({ operation }, output, requestId) {
    if (operation === 'Invoke') return invokeAnswer(output, requestId);
    const statusCode = routes.find((route) => route.operation === operation)?.statusCode ?? 200;
    return {
      statusCode,
      headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
      body: statusCode === 204 ? '' : JSON.stringify(toJsonValue(output)),
    };
  },

  fail(_named, error, requestId) {
    const type = error.statusCode < 500 ? 'User' : 'Service';
    const members = isRecord(error.members) ? error.members : {};
    return {
      statusCode: error.statusCode,
      headers: {
        'content-type': 'application/json',
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': error.code,
      },
      body: JSON.stringify(toJsonValue({ Type: type, message: error.message, ...members })),
    };
  },
};
