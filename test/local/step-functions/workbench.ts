import { VirtualClock } from '../../../local/kernel/clock';
import type { Authorize, Call, CallService } from '../../../local/kernel/service';
import type { HistoryEvent } from '../../../local/step-functions/history';
import type { Json } from '../../../local/step-functions/json';
import type { StepFunctions, StepFunctionsOptions } from '../../../local/step-functions/service';
import { createStepFunctions } from '../../../local/step-functions/service';
import type { TaskCaller, TaskPort } from '../../../local/step-functions/task-port';

/** The account that the tests' principals belong to. */
export const account = '111111111111';

/** A call by the account's operator. */
export const operator: Call = {
  principal: { kind: 'operator', arn: `arn:aws:iam::${account}:root`, account },
  requestId: 'request',
  userAgent: 'test',
  conditions: {},
};

/** Tasks that answer by the state's name: each function plays the service behind it. */
export class Tasks implements TaskPort {
  readonly calls: { readonly state: string; readonly input: Json; readonly caller: TaskCaller }[] = [];

  constructor(
    private readonly services: Readonly<
      Record<string, (input: Json, caller: TaskCaller) => Json | Promise<Json>>
    >,
  ) {}

  async invoke(_resource: string, input: Json, caller: TaskCaller): Promise<Json> {
    this.calls.push({ state: caller.stateName, input, caller });
    const service = this.services[caller.stateName];
    if (service === undefined) throw new Error(`nothing plays ${caller.stateName}`);
    return service(input, caller);
  }
}

/** An error as a task port throws it. */
export function taskError(error: string, cause?: string): Error {
  return Object.assign(new Error(error), { error, cause });
}

interface Parts extends StepFunctionsOptions {
  readonly tasks?: TaskPort;
  readonly authorize?: Authorize;
  readonly callService?: CallService;
}

/** A Step Functions service on a virtual clock, and short ways to use it. */
export class Workbench {
  readonly clock = new VirtualClock();
  readonly service: StepFunctions;
  private machines = 0;

  constructor({ tasks, authorize, callService, ...options }: Parts = {}) {
    this.service = createStepFunctions(
      {
        account,
        region: 'eu-central-1',
        partition: 'aws',
        clock: this.clock,
        authorize: authorize ?? (() => undefined),
        callService:
          callService ??
          (async (service, operation) => {
            throw new Error(`nothing plays ${service}:${operation}`);
          }),
      },
      { ...options, ...(tasks === undefined ? {} : { port: tasks }) },
    );
  }

  async operate(
    operation: string,
    input: object,
    call: Call = operator,
  ): Promise<Readonly<Record<string, unknown>>> {
    const run = this.service.operations[operation];
    if (run === undefined) throw new Error(`no operation ${operation}`);
    return { ...(await run({ ...input }, call)) };
  }

  /** Creates a JSONata machine of these states; the first is where it starts. */
  async create(states: object, rest: object = {}): Promise<string> {
    const definition = { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...rest };
    const { stateMachineArn } = await this.operate('CreateStateMachine', {
      name: `machine-${String(++this.machines)}`,
      definition: JSON.stringify(definition),
      roleArn: `arn:aws:iam::${account}:role/machine`,
    });
    return String(stateMachineArn);
  }

  /** Starts an execution of these states. */
  async start(states: object, input: Json = {}, rest: object = {}): Promise<string> {
    const stateMachineArn = await this.create(states, rest);
    const { executionArn } = await this.operate('StartExecution', {
      stateMachineArn,
      name: 'run',
      input: JSON.stringify(input),
    });
    return String(executionArn);
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves the clock on, timer by timer, until an execution has ended or nothing can end it. */
  async finish(executionArn: string): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      await this.settle();
      const description = await this.describe(executionArn);
      if (description['status'] !== 'RUNNING' || !this.clock.advance()) return description;
    }
  }

  /** Starts, and moves the clock on to the end. */
  async run(states: object, input: Json = {}, rest: object = {}): Promise<Readonly<Record<string, unknown>>> {
    return this.finish(await this.start(states, input, rest));
  }

  async describe(executionArn: string): Promise<Readonly<Record<string, unknown>>> {
    return this.operate('DescribeExecution', { executionArn });
  }

  async history(executionArn: string): Promise<readonly HistoryEvent[]> {
    const { events } = await this.operate('GetExecutionHistory', { executionArn, maxResults: 1000 });
    return Array.isArray(events) ? (events as HistoryEvent[]) : [];
  }

  /** The types of an execution's events, in order. */
  async types(executionArn: string): Promise<readonly string[]> {
    return (await this.history(executionArn)).map(({ type }) => type);
  }
}

/** A Task state on a function. */
export function task(rest: object = {}): object {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: 'f' },
    End: true,
    ...rest,
  };
}

/** A Task state that hands its token out and waits. */
export function waitingTask(rest: object = {}): object {
  return task({
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: { FunctionName: 'f', Payload: { token: '{% $states.context.Task.Token %}' } },
    ...rest,
  });
}

/** The token among the arguments of a waiting task. */
export function tokenIn(input: Json | undefined): string {
  const text = /"token":"([^"]+)"/.exec(JSON.stringify(input))?.[1];
  if (text === undefined) throw new Error('no token');
  return text;
}
