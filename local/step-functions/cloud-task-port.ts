import { randomUUID } from 'node:crypto';
import type { Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { StateFailure } from './failure';
import type { Json, JsonObject } from './json';
import { isArray, isObject, parseJson } from './json';
import type { IntegrationName } from './service-failures';
import { functionFailure, integrationFailure, sdkFailure } from './service-failures';
import type { AssumeRole } from './service-role';
import { sessionOf } from './service-role';
import type { TaskCaller, TaskPort } from './task-port';
import { parseResource, sdkServices } from './task-port';

type Answer = Readonly<Record<string, unknown>>;

/** The real task port: calls the embedded cloud's other services as the machine's role. */
export class CloudTaskPort implements TaskPort {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly assumeRole?: AssumeRole,
  ) {}

  async invoke(resource: string, input: Json, caller: TaskCaller): Promise<Json> {
    const integration = parseResource(resource);
    if (integration === undefined) throw new StateFailure('States.Runtime', `${resource} is not implemented`);
    if (integration.kind === 'function')
      return payloadOf(
        await this.invokeFunction({ FunctionName: integration.arn, Payload: input }, caller, randomUUID()),
      );
    const operation = integration.resource.replace(/\.waitForTaskToken$/, '');
    const members = isObject(input) ? input : {};
    switch (integration.resourceType) {
      case 'lambda':
        return this.lambdaResult(members, caller);
      case 'events':
        return this.putEvents(members, caller);
      case 'sns':
        return this.optimised('sns', 'sns', 'Publish', withText(members, 'Message'), caller);
      case 'sqs':
        return this.optimised('sqs', 'sqs', 'SendMessage', withText(members, 'MessageBody'), caller);
      default:
        return this.sdk(integration.resourceType.slice('aws-sdk:'.length), operation, members, caller);
    }
  }

  private async lambdaResult(input: JsonObject, caller: TaskCaller): Promise<Json> {
    const requestId = randomUUID();
    const answer = await this.invokeFunction(input, caller, requestId);
    const { ExecutedVersion: version, StatusCode: code } = answer;
    const statusCode = typeof code === 'number' ? code : 200;
    return {
      ...(typeof version === 'string' ? { ExecutedVersion: version } : {}),
      Payload: payloadOf(answer),
      ...sdkMetadata(requestId, statusCode),
      StatusCode: statusCode,
    };
  }

  private async invokeFunction(input: JsonObject, caller: TaskCaller, requestId: string): Promise<Answer> {
    const { Payload, ...rest } = input;
    const answer = await this.call(
      'lambda',
      'Invoke',
      { ...rest, Payload: JSON.stringify(Payload ?? {}) },
      caller,
      requestId,
      (error) => integrationFailure('lambda', error, requestId),
    );
    if (answer['FunctionError'] !== undefined) throw functionFailure(textIn(answer));
    return answer;
  }

  private async putEvents(input: JsonObject, caller: TaskCaller): Promise<Json> {
    const entries = isArray(input['Entries']) ? input['Entries'] : [];
    const answer = await this.optimised(
      'events',
      'eventbridge',
      'PutEvents',
      { ...input, Entries: entries.map((entry) => withExecution(entry, caller)) },
      caller,
    );
    // Any failed entry fails the task, with the whole answer as its cause.
    const failed = answer['FailedEntryCount'];
    if (typeof failed === 'number' && failed > 0)
      throw new StateFailure('EventBridge.FailedEntry', JSON.stringify(answer));
    return answer;
  }

  private async optimised(
    integration: IntegrationName,
    service: string,
    operation: string,
    input: JsonObject,
    caller: TaskCaller,
  ): Promise<JsonObject> {
    const requestId = randomUUID();
    const answer = await this.call(service, operation, input, caller, requestId, (error) =>
      integrationFailure(integration, error, requestId),
    );
    return { ...asJson(answer), ...sdkMetadata(requestId, 200) };
  }

  private async sdk(
    service: string,
    operation: string,
    input: JsonObject,
    caller: TaskCaller,
  ): Promise<Json> {
    const known = sdkServices[service];
    if (known === undefined)
      throw new StateFailure('States.Runtime', `aws-sdk:${service} is not implemented`);
    const requestId = randomUUID();
    const name = operation.charAt(0).toUpperCase() + operation.slice(1);
    const answer = await this.call(known.id, name, input, caller, requestId, (error) =>
      sdkFailure(known.name, error, requestId),
    );
    return asJson(answer);
  }

  private async call(
    service: string,
    operation: string,
    input: JsonObject,
    caller: TaskCaller,
    requestId: string,
    failureOf: (error: ServiceError) => StateFailure,
  ): Promise<Answer> {
    try {
      const answer = await this.surroundings.callService(service, operation, input, {
        principal: sessionOf(caller.roleArn, this.surroundings, caller.ownRole ? this.assumeRole : undefined),
        requestId,
        userAgent: 'states.amazonaws.com',
      });
      return { ...answer };
    } catch (error) {
      if (error instanceof ServiceError) throw failureOf(error);
      throw error;
    }
  }
}

function textIn(answer: Answer): string {
  return typeof answer['Payload'] === 'string' ? answer['Payload'] : '';
}

function payloadOf(answer: Answer): Json {
  const text = textIn(answer);
  return text === '' ? null : parseJson(text);
}

// A member that a task may give as JSON although the API takes text.
function withText(input: JsonObject, name: string): JsonObject {
  const value = input[name];
  return value === undefined || typeof value === 'string'
    ? input
    : { ...input, [name]: JSON.stringify(value) };
}

// The integration takes Detail as JSON, and adds execution and machine to Resources.
function withExecution(entry: Json, caller: TaskCaller): Json {
  if (!isObject(entry)) return entry;
  const resources = isArray(entry['Resources']) ? entry['Resources'] : [];
  return {
    ...withText(entry, 'Detail'),
    Resources: [...resources, caller.executionArn, caller.stateMachineArn],
  };
}

function sdkMetadata(requestId: string, statusCode: number): JsonObject {
  const headers = { 'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-RequestId': requestId };
  return {
    SdkHttpMetadata: {
      AllHttpHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      HttpHeaders: headers,
      HttpStatusCode: statusCode,
    },
    SdkResponseMetadata: { RequestId: requestId },
  };
}

function asJson(answer: Answer): JsonObject {
  const json = parseJson(JSON.stringify(answer));
  return isObject(json) ? json : {};
}
