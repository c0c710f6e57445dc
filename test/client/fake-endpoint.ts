import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { keepIdleConnections } from '../../local/kernel/idle-connections';
import type { FakeEventBus } from './fake-event-bus';
import type { FakeQueue } from './fake-queue';
import type { FakeSecretsManager } from './fake-secrets-manager';

/** What stands behind the endpoint. */
export interface Behind {
  readonly secrets: FakeSecretsManager;
  readonly bus: FakeEventBus;
  readonly queue: FakeQueue;
}

/** The fakes behind AWS's JSON protocol on the loopback interface, for clients that are the SDK's own. */
export async function startEndpoint(behind: Behind): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = http.createServer((request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the caller has gone')));
    void answer(behind, request, gone.signal).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(body));
    });
  });
  keepIdleConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  { secrets, bus, queue }: Behind,
  request: http.IncomingMessage,
  abortSignal: AbortSignal,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk);
  const input = JSON.parse(Buffer.concat(chunks).toString()) as never;
  try {
    switch (String(request.headers['x-amz-target'])) {
      case 'secretsmanager.GetSecretValue':
        return { status: 200, body: await secrets.getSecretValue(input) };
      case 'AWSEvents.PutEvents':
        return { status: 200, body: await bus.putEvents(input) };
      case 'AmazonSQS.ReceiveMessage':
        return { status: 200, body: withChecksums(await queue.receiveMessage(input, { abortSignal })) };
      case 'AmazonSQS.DeleteMessage':
        return { status: 200, body: await queue.deleteMessage(input) };
      case 'AmazonSQS.ChangeMessageVisibility':
        return { status: 200, body: await queue.changeMessageVisibility(input) };
      default:
        return { status: 400, body: { __type: 'UnknownOperationException' } };
    }
  } catch (error) {
    const name = error instanceof Error ? error.name : 'InternalFailure';
    return { status: 400, body: { __type: name, message: 'no' } };
  }
}

/** The SDK refuses messages whose checksum is absent or wrong. */
function withChecksums({ Messages = [] }: Awaited<ReturnType<FakeQueue['receiveMessage']>>) {
  const md5 = (body = '') => createHash('md5').update(body).digest('hex');
  return { Messages: Messages.map((message) => ({ ...message, MD5OfBody: md5(message.Body) })) };
}
