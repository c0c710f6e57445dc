import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Principal } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import type { Dispatcher } from './dispatch';
import type { HttpRequest, HttpResponse } from './http-message';
import { header, readRequest } from './http-message';
import { jsonProtocol } from './json-protocol';
import { lambdaProtocol } from './lambda-protocol';
import type { Protocol } from './protocol';
import { queryProtocol } from './query-protocol';
import { isSignedWith, parseAuthorization } from './signature';
import { keepIdleConnections } from '../kernel/idle-connections';

/** Who holds which access key. */
export interface Identities {
  /** The principal behind an access key id; undefined for keys that nobody holds. */
  identify(accessKeyId: string): Principal | undefined;
  /** The secret access key, for checking signatures; where it answers undefined they are not checked. */
  secretFor?(accessKeyId: string): string | undefined;
  /** The token that must come with temporary keys; where it answers undefined none is asked for. */
  sessionTokenFor?(accessKeyId: string): string | undefined;
  /** Told of every request that was signed well, by the signature's service and region. */
  used?(accessKeyId: string, service: string, region: string): void;
}

/** Finds the dispatcher that answers a request; may refuse with a ServiceError. */
export type Route = (
  principal: Principal,
  region: string,
  service: string,
  operation: string,
  input: Readonly<Record<string, unknown>>,
) => Dispatcher;

/** What the gateway is built with. */
export interface GatewayOptions {
  readonly dispatcher: Dispatcher;
  /** Who answers a request that is signed for a region, by what it asks for; always `dispatcher` by default. */
  readonly route?: Route;
  readonly identities: Identities;
  /** Port on 127.0.0.1; 0 or absent takes a free one. */
  readonly port?: number;
}

/** A gateway that listens. */
export interface Gateway {
  /** What AWS_ENDPOINT_URL is set to. */
  readonly endpoint: string;
  /** Ends all connections, also those in the middle of a request, and resolves once the port is free. */
  stop(): Promise<void>;
}

/** Opens the endpoint that AWS's SDKs and command line talk to. */
export async function startGateway({ port = 0, ...parts }: GatewayOptions): Promise<Gateway> {
  const server = createServer((message, response) => void serve(message, response, parts));
  keepIdleConnections(server);
  await listen(server, port);
  const { port: bound } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${bound}`, stop: () => close(server) };
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  parts: Omit<GatewayOptions, 'port'>,
): Promise<void> {
  const requestId = randomUUID();
  let request: HttpRequest;
  try {
    request = await readRequest(message);
  } catch (error) {
    // Either the client went away, and nobody reads this, or the body is too large, and the rest is not awaited.
    if (error instanceof ServiceError)
      send(response, { ...jsonProtocol.fail({ service: '', operation: '' }, error, requestId) }, true);
    else response.destroy();
    return;
  }
  send(response, await answer(request, requestId, parts));
}

async function answer(
  request: HttpRequest,
  requestId: string,
  { dispatcher, route = () => dispatcher, identities }: Omit<GatewayOptions, 'port'>,
): Promise<HttpResponse> {
  const userAgent = header(request.headers, 'user-agent');
  const protocol = protocolOf(request);
  const named = protocol.name(request);
  let dispatched = false;
  try {
    const { principal, region } = authenticate(request, identities, protocol === queryProtocol);
    const input = protocol.input(request);
    const answering = route(principal, region, named.service, named.operation, input);
    dispatched = true;
    const call = { principal, requestId, userAgent, conditions: {} };
    const output = await answering.run(named.service, named.operation, input, call);
    return protocol.answer({ ...named, input }, output, requestId);
  } catch (error) {
    // Whatever else is thrown here comes from reading the request: a path or form that nothing can decode.
    const refused =
      error instanceof ServiceError
        ? error
        : new ServiceError('SerializationException', 'The request cannot be read.');
    if (!dispatched) dispatcher.refuse(named.service, named.operation, userAgent, refused.code);
    return protocol.fail(named, refused, requestId);
  }
}

function protocolOf(request: HttpRequest): Protocol {
  if (header(request.headers, 'x-amz-target') !== '') return jsonProtocol;
  if (/^\/\d{4}-\d{2}-\d{2}\//.test(request.path)) return lambdaProtocol;
  return queryProtocol;
}

/** Finds out who calls, and in which region. The three ways to fail have other names in the query protocol. */
function authenticate(
  request: HttpRequest,
  identities: Identities,
  query: boolean,
): { readonly principal: Principal; readonly region: string } {
  const authorization = parseAuthorization(request);
  if (authorization === undefined)
    throw new ServiceError(
      query ? 'MissingAuthenticationToken' : 'MissingAuthenticationTokenException',
      'Missing Authentication Token',
      query ? 403 : 400,
    );
  const principal = identities.identify(authorization.accessKeyId);
  const token = identities.sessionTokenFor?.(authorization.accessKeyId);
  if (
    principal === undefined ||
    (token !== undefined && token !== header(request.headers, 'x-amz-security-token'))
  )
    throw new ServiceError(
      query ? 'InvalidClientTokenId' : 'UnrecognizedClientException',
      'The security token included in the request is invalid.',
      query ? 403 : 400,
    );
  const secret = identities.secretFor?.(authorization.accessKeyId);
  if (secret !== undefined && !isSignedWith(secret, request, authorization))
    throw new ServiceError(
      query ? 'SignatureDoesNotMatch' : 'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      query ? 403 : 400,
    );
  identities.used?.(authorization.accessKeyId, authorization.service, authorization.region);
  return { principal, region: authorization.region };
}

function send(response: ServerResponse, { statusCode, headers, body }: HttpResponse, last = false): void {
  response.writeHead(statusCode, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    ...(last && { connection: 'close' }),
  });
  response.end(body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
