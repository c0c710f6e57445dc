import * as z from 'zod';
import { ServiceError, type Call, type Operation, type Service, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { AsynchronousQueue, type RetryPolicy } from './asynchronous';
import { configurationOf, createFunctionInput, functionOf } from './configuration';
import { Fleet } from './fleet';
import { functionArn, functionNameOf, type LambdaFunction } from './function';
import { invoke } from './invoke';
import { accountConcurrency, unreservedMinimum } from './limits';
import { permissionInput, policyOf, statementOf, type PermissionStatement } from './permissions';
import type { LambdaPorts } from './ports';
import { Runner } from './runner';

const nameInput = z.object({ FunctionName: z.string(), Qualifier: z.literal('$LATEST').optional() });
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
  private readonly functions = new Map<string, LambdaFunction>();
  private readonly statements = new Map<string, readonly PermissionStatement[]>();
  private readonly reserved = new Map<string, number>();
  private readonly retries = new Map<string, RetryPolicy>();
  private readonly fleet: Fleet;
  private readonly runner: Runner;
  private readonly queue: AsynchronousQueue;

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
  }

  readonly operations = {
    Invoke: (input, call) =>
      invoke(
        this.runner,
        this.queue,
        (name, by) => this.find(name, by, 'lambda:InvokeFunction'),
        input,
        call,
      ),
    CreateFunction: async (input, call) => this.createFunction(input, call),
    DeleteFunction: async (input, call) => this.deleteFunction(input, call),
    GetFunction: async (input, call) => {
      const fn = this.named('GetFunction', input, call);
      const reserved = this.reserved.get(fn.name);
      return {
        Configuration: configurationOf(fn),
        Code: { RepositoryType: 'S3', Location: `file://${fn.codeDirectory}` },
        ...(reserved === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: reserved } }),
      };
    },
    GetFunctionConfiguration: async (input, call) =>
      configurationOf(this.named('GetFunctionConfiguration', input, call)),
    ListFunctions: async (input, call) => {
      parseInput('ListFunctions', z.object({}), input);
      this.surroundings.authorize(call, { action: 'lambda:ListFunctions', resource: '*' });
      return { Functions: [...this.functions.values()].map(configurationOf) };
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
    await this.fleet.discardAll();
  }

  private policy(name: string): object | undefined {
    return policyOf(this.statements.get(name) ?? []);
  }

  /** The function that a request names. Leave is asked first, so that a stranger cannot tell what exists. */
  private find(reference: string, call: Call, action: string): LambdaFunction {
    const name = functionNameOf(reference);
    const resource = functionArn(this.surroundings, name);
    this.surroundings.authorize(call, { action, resource, resourcePolicy: this.policy(name) });
    const fn = this.functions.get(name);
    if (fn === undefined)
      throw new ServiceError('ResourceNotFoundException', `Function not found: ${resource}`, 404, {
        Type: 'User',
      });
    return fn;
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
    const fn = functionOf(this.surroundings, request, directory, this.surroundings.clock.now());
    this.functions.set(fn.name, fn);
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
