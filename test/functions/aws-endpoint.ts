import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { keepIdleConnections } from '../../local/kernel/idle-connections';
import type { Labels } from '../../domain/labels';
import { afterMove, refusal } from '../domain/label-store';

/** One secret as the fake of Secrets Manager keeps it. */
export interface StoredSecret {
  readonly arn: string;
  readonly name: string;
  labels: Labels;
  readonly values: Map<string, string>;
  /** Versions whose value is bytes. */
  readonly binary: Set<string>;
}

/** One request that reached the fake. */
export interface Received {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly userAgent: string;
}

const optionalText = z.string().optional();
const read = z.looseObject({ SecretId: z.string(), VersionId: optionalText, VersionStage: optionalText });
const put = z.looseObject({ SecretId: z.string(), ClientRequestToken: z.string(), SecretString: z.string() });
const move = z.looseObject({
  SecretId: z.string(),
  VersionStage: z.string(),
  MoveToVersionId: optionalText,
  RemoveFromVersionId: optionalText,
});
const parameter = z.looseObject({
  Name: z.string(),
  Value: optionalText,
  Overwrite: z.boolean().optional(),
});
const byPath = z.looseObject({ Path: z.string(), NextToken: optionalText });
const start = z.looseObject({ stateMachineArn: z.string(), name: z.string(), input: z.string() });
const describeExecution = z.looseObject({ executionArn: z.string() });
const completion = z.looseObject({ taskToken: z.string() });

/** Pages as small as this, so that whoever forgets to turn them is found out. */
const pageSize = 2;

/**
 * The operations that Rotor's functions call, on one port, with AWS's conditions and error names: a store of labelled
 * versions, of parameters and of waiting task tokens, so that the SDK clients of the functions run as they are.
 */
export class AwsEndpoint {
  readonly secrets: StoredSecret[] = [];
  readonly parameters = new Map<string, string>();
  /** What every change calendar answers. */
  calendar: { readonly State: string; readonly NextTransitionTime?: string } = { State: 'OPEN' };
  readonly waitingTokens = new Set<string>();
  readonly received: Received[] = [];
  /** Executions by ARN, with the input that each was started with. */
  readonly executions = new Map<
    string,
    { readonly input: string; status: string; cause?: string; stopDate?: number }
  >();
  /** What the workflow does as soon as it is started. */
  onStart: () => void = () => undefined;
  /** The next answers to an operation instead of its own: thrown before it takes effect. */
  private readonly faults: { readonly operation: string; readonly error: Error }[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      void text(request).then((body) => {
        const target = request.headers['x-amz-target'];
        const query = typeof target === 'string' ? undefined : new URLSearchParams(body);
        const operation =
          typeof target === 'string' ? (target.split('.')[1] ?? '') : (query?.get('Action') ?? '');
        const input =
          query === undefined ? (JSON.parse(body) as Record<string, unknown>) : Object.fromEntries(query);
        this.received.push({ operation, input, userAgent: request.headers['user-agent'] ?? '' });
        try {
          const answer = this.answer(operation, input);
          response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
        } catch (error) {
          const { name, message } = error instanceof Error ? error : new Error('unknown');
          response.statusCode = 400;
          response.end(JSON.stringify({ __type: name, message }));
        }
      });
    });
    keepIdleConnections(this.server);
  }

  /** Listens, and points the SDK's clients of this process at itself. */
  static async listen(): Promise<AwsEndpoint> {
    const endpoint = new AwsEndpoint();
    await new Promise<void>((resolve) => endpoint.server.listen(0, '127.0.0.1', resolve));
    const { port } = endpoint.server.address() as AddressInfo;
    process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${port}`;
    return endpoint;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Forgets everything, so that one test sees nothing of another. */
  clear(): void {
    this.secrets.length = 0;
    this.received.length = 0;
    this.parameters.clear();
    this.calendar = { State: 'OPEN' };
    this.waitingTokens.clear();
    this.executions.clear();
    this.onStart = () => undefined;
    this.faults.length = 0;
  }

  /** Keeps a secret with its versions. */
  keep(name: string, labels: Labels, values: Readonly<Record<string, string>> = {}): StoredSecret {
    const secret = {
      name,
      arn: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`,
      labels,
      values: new Map(Object.entries(values)),
      binary: new Set<string>(),
    };
    this.secrets.push(secret);
    return secret;
  }

  /** Makes the next call of an operation fail before it takes effect. */
  failNext(operation: string, name: string, message = 'as the test asked'): void {
    this.faults.push({ operation, error: refusal(name, message) });
  }

  /** The operations received so far, in order. */
  operations(): readonly string[] {
    return this.received.map(({ operation }) => operation);
  }

  private answer(operation: string, input: Readonly<Record<string, unknown>>): object | string {
    const fault = this.faults.findIndex((candidate) => candidate.operation === operation);
    const [failing] = fault < 0 ? [] : this.faults.splice(fault, 1);
    if (failing !== undefined) throw failing.error;
    switch (operation) {
      case 'DescribeSecret': {
        const { arn, name, labels } = this.secret(read.parse(input).SecretId);
        return { ARN: arn, Name: name, VersionIdsToStages: labels };
      }
      case 'GetSecretValue':
        return this.readValue(read.parse(input));
      case 'PutSecretValue': {
        const { SecretId, ClientRequestToken, SecretString } = put.parse(input);
        const { values } = this.secret(SecretId);
        const there = values.get(ClientRequestToken);
        if (there !== undefined && there !== SecretString)
          throw refusal('ResourceExistsException', "You can't use ClientRequestToken: already in use");
        values.set(ClientRequestToken, SecretString);
        return {};
      }
      case 'UpdateSecretVersionStage': {
        const { SecretId, VersionStage, MoveToVersionId: to, RemoveFromVersionId: from } = move.parse(input);
        const secret = this.secret(SecretId);
        secret.labels = afterMove(secret.labels, {
          stage: VersionStage,
          ...(to === undefined ? {} : { to }),
          ...(from === undefined ? {} : { from }),
        });
        return {};
      }
      case 'GetParametersByPath':
        return this.parameterPage(byPath.parse(input));
      case 'GetParameter': {
        const { Name } = parameter.parse(input);
        const Value = this.parameters.get(Name);
        if (Value === undefined) throw refusal('ParameterNotFound', '');
        return { Parameter: { Name, Value, Type: 'String', LastModifiedDate: Date.now() / 1000 } };
      }
      case 'PutParameter': {
        const { Name, Value, Overwrite } = parameter.parse(input);
        if (this.parameters.has(Name) && Overwrite !== true)
          throw refusal('ParameterAlreadyExists', 'The parameter already exists.');
        this.parameters.set(Name, Value ?? '');
        return { Version: 1, Tier: 'Standard' };
      }
      case 'DeleteParameter': {
        const { Name } = parameter.parse(input);
        if (!this.parameters.delete(Name)) throw refusal('ParameterNotFound', '');
        return {};
      }
      case 'GetCalendarState':
        return this.calendar;
      case 'StartExecution': {
        const { stateMachineArn, name, input: text } = start.parse(input);
        const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
        const there = this.executions.get(executionArn);
        if (there !== undefined && (there.status !== 'RUNNING' || there.input !== text))
          throw refusal('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
        if (there === undefined) {
          this.executions.set(executionArn, { input: text, status: 'RUNNING' });
          this.onStart();
        }
        return { executionArn, startDate: 1_767_225_600 };
      }
      case 'DescribeExecution': {
        const { executionArn } = describeExecution.parse(input);
        const there = this.executions.get(executionArn);
        if (there === undefined)
          throw refusal('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
        return { executionArn, startDate: 1_767_225_600, ...there };
      }
      case 'SendTaskSuccess':
      case 'SendTaskFailure': {
        this.waiting(input);
        this.waitingTokens.delete(completion.parse(input).taskToken);
        return {};
      }
      case 'SendTaskHeartbeat':
        this.waiting(input);
        return {};
      case 'Publish':
        return '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>message-1</MessageId></PublishResult></PublishResponse>';
      default:
        throw refusal('UnknownOperationException', operation);
    }
  }

  private readValue({ SecretId, VersionId, VersionStage }: z.infer<typeof read>): object {
    const { arn, name, labels, values, binary } = this.secret(SecretId);
    const stage = VersionStage ?? (VersionId === undefined ? 'AWSCURRENT' : undefined);
    const labelled = Object.keys(labels).find(
      (version) => stage !== undefined && labels[version]?.includes(stage),
    );
    if (VersionId !== undefined && stage !== undefined && labelled !== VersionId)
      throw refusal(
        'InvalidRequestException',
        'You provided a VersionStage that is not associated to the provided VersionId.',
      );
    const version = VersionId ?? labelled ?? '';
    const value = values.get(version);
    if (value === undefined)
      throw refusal(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for VersionId: ${version}`,
      );
    return {
      ARN: arn,
      Name: name,
      VersionId: version,
      ...(binary.has(version)
        ? { SecretBinary: Buffer.from(value).toString('base64') }
        : { SecretString: value }),
      CreatedDate: 1_767_225_600,
    };
  }

  private parameterPage({ Path, NextToken }: z.infer<typeof byPath>): object {
    const below = [...this.parameters].filter(([name]) => name.startsWith(`${Path}/`));
    const start = Number(NextToken ?? 0);
    const next = start + pageSize;
    return {
      Parameters: below.slice(start, next).map(([Name, Value]) => ({ Name, Value, Type: 'String' })),
      ...(next < below.length ? { NextToken: String(next) } : {}),
    };
  }

  private waiting(input: Readonly<Record<string, unknown>>): void {
    const { taskToken } = completion.parse(input);
    if (!taskToken.startsWith('token')) throw refusal('InvalidToken', 'Invalid token');
    if (!this.waitingTokens.has(taskToken)) throw refusal('TaskTimedOut', 'Task Timed Out');
  }

  private secret(id: string): StoredSecret {
    const found = this.secrets.find(
      ({ arn, name }) => id === arn || id === name || id === arn.replace(/-\w{6}$/, ''),
    );
    if (found === undefined)
      throw refusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return found;
  }
}
