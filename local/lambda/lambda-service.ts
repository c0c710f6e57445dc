import * as z from 'zod';
import { ServiceError, type Call, type Operation, type Service, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { AsynchronousQueue, type RetryPolicy } from './asynchronous';
import { codeHash } from './code-hash';
import { configurationOf, createFunctionInput, functionOf } from './configuration';
import { Fleet } from './fleet';
import { functionArn, type FunctionReference, type LambdaFunction, parseReference } from './function';
import { invoke } from './invoke';
import { accountConcurrency, unreservedMinimum } from './limits';
import { permissionInput, policyOf, statementOf, type PermissionStatement } from './permissions';
import type { LambdaPorts } from './ports';
import { type FunctionRecord, newRecord, notFound, publishedBy } from './record';
import { Runner } from './runner';
import { assertActive, describeVersion, VersionOperations } from './version-operations';

const nameInput = z.object({ FunctionName: z.string(), Qualifier: z.literal('$LATEST').optional() });
const qualifiedInput = z.object({ FunctionName: z.string(), Qualifier: z.string().optional() });
const concurrencyInput = z.object({
  FunctionName: z.string(),
  ReservedConcurrentExecutions: z.int().min(0),
});
const removePermissionInput = z.object({ FunctionName: z.string(), StatementId: z.string() });
const retryInput = z.object({
  FunctionName: z.string(),
  MaximumRetryAttempts: z.int().min(0).max(2).optional(),
  MaximumEventAgeInSeconds: z.int().min(60).max(21_600).optional(),
});

/** Lambda of the embedded cloud: functions from code folders, each in worker threads of its own. */
export class LambdaService implements Service {
  readonly id = 'lambda';
  private readonly functions = new Map<string, FunctionRecord>();
  private readonly statements = new Map<string, readonly PermissionStatement[]>();
  private readonly reserved = new Map<string, number>();
  private readonly retries = new Map<string, RetryPolicy>();
  private readonly fleet: Fleet;
  private readonly runner: Runner;
  private readonly queue: AsynchronousQueue;
  private readonly versions: VersionOperations;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly ports: LambdaPorts,
  ) {
    this.fleet = new Fleet(surroundings, ports);
    this.runner = new Runner(surroundings, this.fleet, ports, this.reserved);
    this.queue = new AsynchronousQueue(
      surroundings,
      this.runner,
      (name) => this.retries.get(name) ?? { maximumRetryAttempts: 2, maximumEventAgeSeconds: 21_600 },
      (message) => ports.warn?.(message),
    );
    this.versions = new VersionOperations(surroundings, ports, this.fleet, (reference, call, action) =>
      this.record(parseReference(reference), call, action),
    );
  }

  readonly operations = {
    Invoke: (input, call) =>
      invoke(
        this.runner,
        this.queue,
        (name, qualifier, by) => this.runnable(name, qualifier, by),
        input,
        call,
      ),
    CreateFunction: async (input, call) => this.createFunction(input, call),
    DeleteFunction: async (input, call) => this.deleteFunction(input, call),
    GetFunction: async (input, call) => {
      const fn = this.named('GetFunction', input, call);
      const reserved = this.reserved.get(fn.name);
      return {
        Configuration: configurationOf(fn, this.functions.get(fn.name)?.status),
        Code: { RepositoryType: 'S3', Location: `file://${fn.codeDirectory}` },
        ...(reserved === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: reserved } }),
      };
    },
    GetFunctionConfiguration: async (input, call) => this.configuration(input, call),
    ListFunctions: async (input, call) => {
      parseInput('ListFunctions', z.object({}), input);
      this.surroundings.authorize(call, { action: 'lambda:ListFunctions', resource: '*' });
      return {
        Functions: [...this.functions.values()].map(({ latest, status }) => configurationOf(latest, status)),
      };
    },
    AddPermission: async (input, call) => this.addPermission(input, call),
    RemovePermission: async (input, call) => this.removePermission(input, call),
    GetPolicy: async (input, call) => {
      const fn = this.named('GetPolicy', input, call);
      const policy = this.policy(fn.name);
      if (policy === undefined)
        throw new ServiceError(
          'ResourceNotFoundException',
          'The resource you requested does not exist.',
          404,
        );
      return { Policy: JSON.stringify(policy), RevisionId: fn.revisionId };
    },
    PutFunctionConcurrency: async (input, call) => this.putConcurrency(input, call),
    GetFunctionConcurrency: async (input, call) => {
      const fn = this.named('GetFunctionConcurrency', input, call);
      const reserved = this.reserved.get(fn.name);
      return reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved };
    },
    DeleteFunctionConcurrency: async (input, call) => {
      this.reserved.delete(this.named('DeleteFunctionConcurrency', input, call).name);
      return {};
    },
    PutFunctionEventInvokeConfig: async (input, call) => this.putRetries(input, call),
    UpdateFunctionConfiguration: async (input, call) => this.versions.update(input, call),
    PublishVersion: async (input, call) => this.versions.publish(input, call),
    CreateAlias: async (input, call) => this.versions.createAlias(input, call),
    GetAlias: async (input, call) => this.versions.getAlias(input, call),
    UpdateAlias: async (input, call) => this.versions.updateAlias(input, call),
  } satisfies Record<string, Operation>;

  /** Resolves when every event that was accepted has been handled or given up. */
  async settled(): Promise<void> {
    await this.queue.settled();
  }

  /** How many workers there are and how many of them wait for work. */
  workers(): { readonly all: number; readonly idle: number } {
    return this.fleet.count();
  }

  /** Ends every worker; nothing can be invoked afterwards without starting new ones. */
  async close(): Promise<void> {
    this.queue.stop();
    this.versions.stop();
    await this.fleet.discardAll();
  }

  private policy(name: string): object | undefined {
    return policyOf(this.statements.get(name) ?? []);
  }

  /** The function that a request names. Leave is asked first, so that a stranger cannot tell what exists. */
  private record({ name, qualifier }: FunctionReference, call: Call, action: string): FunctionRecord {
    const bare = functionArn(this.surroundings, name);
    const resource = qualifier === undefined || qualifier === '$LATEST' ? bare : `${bare}:${qualifier}`;
    this.surroundings.authorize(call, { action, resource, resourcePolicy: this.policy(name) });
    const record = this.functions.get(name);
    if (record === undefined) throw notFound(resource);
    return record;
  }

  private find(reference: string, call: Call, action: string): LambdaFunction {
    const parsed = parseReference(reference);
    if (parsed.qualifier !== undefined && parsed.qualifier !== '$LATEST')
      throw new ServiceError(
        'UnsupportedParameter',
        `The embedded cloud does not implement ${action} with a version or an alias.`,
      );
    return this.record(parsed, call, action).latest;
  }

  /** What is to be run for a caller, now and at every later attempt. */
  private runnable(reference: string, qualifier: string | undefined, call: Call): () => LambdaFunction {
    const named = qualified(reference, qualifier);
    const record = this.record(named, call, 'lambda:InvokeFunction');
    return () => {
      const published = publishedBy(record, named.qualifier);
      if (published === undefined) return record.running;
      assertActive(published);
      return published.fn;
    };
  }

  private configuration(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('GetFunctionConfiguration', qualifiedInput, input);
    const named = qualified(request.FunctionName, request.Qualifier);
    const record = this.record(named, call, 'lambda:GetFunctionConfiguration');
    const published = publishedBy(record, named.qualifier);
    return published === undefined
      ? configurationOf(record.latest, record.status)
      : describeVersion(published);
  }

  private named(operation: string, input: Readonly<Record<string, unknown>>, call: Call): LambdaFunction {
    return this.find(parseInput(operation, nameInput, input).FunctionName, call, `lambda:${operation}`);
  }

  private createFunction(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('CreateFunction', createFunctionInput, input);
    const resource = functionArn(this.surroundings, request.FunctionName);
    this.surroundings.authorize(call, { action: 'lambda:CreateFunction', resource });
    if (this.functions.has(request.FunctionName))
      throw new ServiceError(
        'ResourceConflictException',
        `Function already exist: ${request.FunctionName}`,
        409,
      );
    const { S3Bucket, S3Key } = request.Code;
    const directory = this.ports.locateCode(S3Bucket, S3Key);
    if (directory === undefined)
      throw new ServiceError(
        'InvalidParameterValueException',
        'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
      );
    const now = this.surroundings.clock.now();
    const fn = functionOf(this.surroundings, request, directory, codeHash(directory), now);
    this.functions.set(fn.name, newRecord(fn));
    return configurationOf(fn);
  }

  private async deleteFunction(input: Readonly<Record<string, unknown>>, call: Call): Promise<object> {
    const fn = this.named('DeleteFunction', input, call);
    this.functions.delete(fn.name);
    this.statements.delete(fn.name);
    this.reserved.delete(fn.name);
    this.retries.delete(fn.name);
    await this.fleet.discardAll(fn.name);
    return {};
  }

  private addPermission(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('AddPermission', permissionInput, input);
    const fn = this.find(request.FunctionName, call, 'lambda:AddPermission');
    const present = this.statements.get(fn.name) ?? [];
    if (present.some(({ Sid }) => Sid === request.StatementId))
      throw new ServiceError(
        'ResourceConflictException',
        `The statement id (${request.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
        409,
      );
    const statement = statementOf(request, fn.arn, this.surroundings.partition);
    this.statements.set(fn.name, [...present, statement]);
    return { Statement: JSON.stringify(statement) };
  }

  private removePermission(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('RemovePermission', removePermissionInput, input);
    const fn = this.find(request.FunctionName, call, 'lambda:RemovePermission');
    const present = this.statements.get(fn.name) ?? [];
    const rest = present.filter(({ Sid }) => Sid !== request.StatementId);
    if (rest.length === present.length)
      throw new ServiceError(
        'ResourceNotFoundException',
        `Statement ${request.StatementId} is not found in resource policy.`,
        404,
      );
    this.statements.set(fn.name, rest);
    return {};
  }

  private putConcurrency(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('PutFunctionConcurrency', concurrencyInput, input);
    const fn = this.find(request.FunctionName, call, 'lambda:PutFunctionConcurrency');
    let left = accountConcurrency - request.ReservedConcurrentExecutions;
    for (const [name, share] of this.reserved) if (name !== fn.name) left -= share;
    if (left < unreservedMinimum)
      throw new ServiceError(
        'InvalidParameterValueException',
        `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${unreservedMinimum}].`,
      );
    this.reserved.set(fn.name, request.ReservedConcurrentExecutions);
    return { ReservedConcurrentExecutions: request.ReservedConcurrentExecutions };
  }

  private putRetries(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('PutFunctionEventInvokeConfig', retryInput, input);
    const fn = this.find(request.FunctionName, call, 'lambda:PutFunctionEventInvokeConfig');
    this.retries.set(fn.name, {
      maximumRetryAttempts: request.MaximumRetryAttempts ?? 2,
      maximumEventAgeSeconds: request.MaximumEventAgeInSeconds ?? 21_600,
    });
    return {
      FunctionArn: `${fn.arn}:$LATEST`,
      MaximumRetryAttempts: request.MaximumRetryAttempts ?? 2,
      MaximumEventAgeInSeconds: request.MaximumEventAgeInSeconds ?? 21_600,
    };
  }
}

/** A function and its qualifier, which callers write behind its name or beside it. */
function qualified(reference: string, beside: string | undefined): FunctionReference {
  const { name, qualifier } = parseReference(reference);
  if (qualifier !== undefined && beside !== undefined && qualifier !== beside)
    throw new ServiceError(
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  return { name, qualifier: qualifier ?? beside };
}
