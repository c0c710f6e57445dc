import type { Clock } from '../kernel/clock';
import type { Leaving, State } from './definition';
import type { Expressions } from './expression';
import { ExpressionError } from './expression';
import { StateFailure } from './failure';
import type { EventDetails, History, HistoryEventType, Trail } from './history';
import type { Json, JsonObject } from './json';
import { byteSize, isArray, payloadLimit, typeName } from './json';
import type { StartMapRun } from './map-run';
import type { ExecutionObserver, TaskPort } from './task-port';
import type { TaskTokens } from './task-tokens';
import type { Variables } from './variables';

/** What stays the same in all of an execution. */
export interface Machinery {
  readonly execution: {
    readonly arn: string;
    readonly name: string;
    readonly stateMachineArn: string;
    readonly stateMachineName: string;
    readonly roleArn: string;
    readonly input: Json;
    readonly startedAt: number;
  };
  readonly region: string;
  readonly clock: Clock;
  /** Measures TimeoutSeconds of tasks that answer by themselves; what they wait for takes its time on the wall. */
  readonly taskClock: Clock;
  readonly history: History;
  readonly expressions: Expressions;
  readonly port: TaskPort;
  readonly tokens: TaskTokens;
  readonly startMapRun: StartMapRun;
  readonly random: () => number;
  readonly observer: ExecutionObserver;
}

/** Where in an execution a state runs: its branch's variables, thread of events, item, and what can break it off. */
export interface Place {
  readonly variables: Variables;
  readonly trail: Trail;
  readonly signal: AbortSignal;
  readonly item?:
    { readonly index: number; readonly value: Json; readonly source?: 'STATE_DATA' } | undefined;
}

/** What `$states` holds beside the input. */
export interface Seen {
  readonly result?: Json;
  readonly errorOutput?: Json;
}

/** How a state was left: its output, and where to. */
export interface Departure {
  readonly output: Json;
  readonly next: string | undefined;
}

/** One stay in a state, from its Entered event on. */
export class Visit<Shape extends State = State> {
  readonly enteredId: number;
  /** How often Retry has begun anew. */
  retryCount = 0;
  /** The task's token, while it has one. */
  token: string | undefined;
  private readonly enteredAt: string;

  constructor(
    readonly machinery: Machinery,
    readonly place: Place,
    readonly name: string,
    readonly state: Shape,
    readonly input: Json,
  ) {
    this.enteredAt = new Date(machinery.clock.now()).toISOString();
    this.enteredId = this.record(`${state.Type}StateEntered`, {
      stateEnteredEventDetails: { name, input: JSON.stringify(input), inputDetails: { truncated: false } },
    });
  }

  /** Adds an event to this branch's thread. */
  record(type: HistoryEventType, details: EventDetails = {}): number {
    return this.machinery.history.record(this.place.trail, type, details);
  }

  /** The failure that AWS words with state and entry event in front. */
  failure(error: string, what: string): StateFailure {
    return new StateFailure(
      error,
      `An error occurred while executing the state '${this.name}' (entered at the event id #${this.enteredId}). ${what}`,
    );
  }

  /** Records that an expression failed, and gives the failure to throw. */
  evaluationFailure(location: string | undefined, what: string): StateFailure {
    const failure = this.failure('States.QueryEvaluationError', what);
    // Recorded since December 2024: the event before this one is the state's entry, whatever has happened since.
    const id = this.machinery.history.note('EvaluationFailed', this.enteredId, {
      evaluationFailedEventDetails: {
        error: failure.error,
        cause: failure.reason,
        ...(location === undefined ? {} : { location }),
        state: this.name,
      },
    });
    this.place.trail.last = id;
    return failure;
  }

  /** Evaluates a field's template. */
  async evaluate(field: string, template: Json, seen: Seen = {}, item = this.place.item): Promise<Json> {
    try {
      const bindings = { variables: this.place.variables.visible(), states: this.states(seen, item) };
      return await this.machinery.expressions.evaluate(template, bindings, field);
    } catch (error) {
      if (error instanceof ExpressionError) throw this.evaluationFailure(error.location, error.message);
      throw error;
    }
  }

  /** Evaluates a field that must come to one type of value. */
  async evaluateAs<Value extends Json>(
    field: string,
    template: Json,
    expected: string,
    accepts: (value: Json) => value is Value,
    seen: Seen = {},
  ): Promise<Value> {
    const value = await this.evaluate(field, template, seen);
    if (accepts(value)) return value;
    const source = typeof template === 'string' ? template.replace(/^\s*\{%|%\}\s*$/g, '').trim() : '';
    throw this.evaluationFailure(
      field,
      `The JSONata expression '${source}' specified for the field '${field}' returned an unexpected result type. ` +
        `Expected '${expected}', but was '${typeName(value)}' for value: ${JSON.stringify(value)}`,
    );
  }

  /** Evaluates a field that must come to a whole number, or answers undefined where it is absent. */
  async evaluateNumber(field: string, template: number | string | undefined): Promise<number | undefined> {
    return template === undefined
      ? undefined
      : this.evaluateAs(field, template, 'number', (value) => typeof value === 'number');
  }

  /** Evaluates a field that must come to an array. */
  async evaluateArray(field: string, template: Json): Promise<readonly Json[]> {
    return this.evaluateAs(field, template, 'array', isArray);
  }

  /**
   * Leaves the state: Output and Assign both see the values from before, then the variables change.
   *
   * `prefix` is where the two stand when not in the state itself, such as `Catch[0]/`.
   */
  async leave(
    leaving: Leaving,
    unlessOutput: Json,
    next: string | undefined,
    seen: Seen,
    prefix = '',
  ): Promise<Departure> {
    const { Output, Assign } = leaving;
    const assigned =
      Assign === undefined ? undefined : await this.evaluateAssign(`${prefix}Assign`, Assign, seen);
    const output = Output === undefined ? unlessOutput : await this.evaluate(`${prefix}Output`, Output, seen);
    this.assertSize(output);
    if (assigned !== undefined) this.place.variables.assign(assigned);
    this.record(`${this.exitType()}StateExited`, {
      stateExitedEventDetails: {
        name: this.name,
        output: JSON.stringify(output),
        outputDetails: { truncated: false },
        ...(assigned === undefined
          ? {}
          : {
              assignedVariables: Object.fromEntries(
                Object.entries(assigned).map(([name, value]) => [name, JSON.stringify(value)]),
              ),
              assignedVariablesDetails: { truncated: false },
            }),
      },
    });
    return { output, next };
  }

  /** Ends the execution when a value is too big to pass on. */
  assertSize(value: Json, whose = 'state/task'): void {
    if (byteSize(value) <= payloadLimit) return;
    throw new StateFailure(
      'States.DataLimitExceeded',
      `The ${whose} '${this.name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    );
  }

  private exitType(): Exclude<State['Type'], 'Fail'> {
    if (this.state.Type === 'Fail') throw new Error(`a Fail state is not left: ${this.name}`);
    return this.state.Type;
  }

  private async evaluateAssign(field: string, assign: JsonObject, seen: Seen): Promise<JsonObject> {
    const assigned: Record<string, Json> = {};
    for (const [name, template] of Object.entries(assign))
      assigned[name] = await this.evaluate(`${field}/${name}`, template, seen);
    return assigned;
  }

  private states(seen: Seen, item: Place['item']): JsonObject {
    const { execution } = this.machinery;
    return {
      input: this.input,
      ...(seen.result === undefined ? {} : { result: seen.result }),
      ...(seen.errorOutput === undefined ? {} : { errorOutput: seen.errorOutput }),
      context: {
        Execution: {
          Id: execution.arn,
          Input: execution.input,
          Name: execution.name,
          RoleArn: execution.roleArn,
          StartTime: new Date(execution.startedAt).toISOString(),
          RedriveCount: 0,
        },
        StateMachine: { Id: execution.stateMachineArn, Name: execution.stateMachineName },
        State: { Name: this.name, EnteredTime: this.enteredAt, RetryCount: this.retryCount },
        ...(this.token === undefined ? {} : { Task: { Token: this.token } }),
        ...(item === undefined ? {} : { Map: { Item: itemContext(item) } }),
      },
    };
  }
}

function itemContext({ index, value, source }: NonNullable<Place['item']>): JsonObject {
  return { Index: index, Value: value, ...(source === undefined ? {} : { Source: source }) };
}
