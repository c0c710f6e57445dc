import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VirtualClock } from '../kernel/clock';
import type { Call, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import type { Json } from '../step-functions/json';
import type { StepFunctions } from '../step-functions/service';
import { createStepFunctions } from '../step-functions/service';
import type { RecordedCase, RecordedEvent } from './asl-case';
import { recordedCase } from './asl-case';
import { flatten, Matcher } from './asl-match';
import { RecordedTasks } from './asl-tasks';
import type { ConformanceResult } from './secrets-manager';

const account = '111111111111';
const call: Call = {
  principal: { kind: 'operator', arn: `arn:aws:iam::${account}:root`, account },
  requestId: 'conformance',
  userAgent: 'conformance',
  conditions: {},
};

/** Replays executions recorded on AWS, one JSON file each, against the embedded Step Functions. */
export async function replayAsl(folder: string): Promise<ConformanceResult[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const results: ConformanceResult[] = [];
  for (const file of files) {
    const recorded = recordedCase.parse(JSON.parse(await readFile(join(folder, file), 'utf8')));
    results.push(await replay(recorded, file.replace(/\.json$/, '')));
  }
  return results;
}

async function replay(recorded: RecordedCase, name: string): Promise<ConformanceResult> {
  const about = { feature: `${recorded.kind} ${recorded.queryLanguages.join(' and ')}`, case: name };
  const clock = new VirtualClock();
  const matcher = new Matcher(recorded.placeholders);
  const tasks = new RecordedTasks(recorded.invocations ?? [], matcher);
  const functions = createStepFunctions(surroundings(clock), { port: tasks, random: () => 0.5 });
  try {
    const arn = await begin(functions, recorded);
    const ended = await runToEnd(functions, clock, arn);
    const detail = ended ? await compare(functions, arn, recorded, matcher, tasks) : 'did not come to an end';
    return detail === undefined ? { ...about, outcome: 'passed' } : { ...about, outcome: 'failed', detail };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const refused = error.code === 'InvalidDefinition' && error.message.includes('JSONPath');
    return { ...about, outcome: refused ? 'refused' : 'failed', detail: error.message };
  } finally {
    await functions.close();
  }
}

function surroundings(clock: VirtualClock): Surroundings {
  return {
    account,
    region: 'us-east-1',
    partition: 'aws',
    clock,
    authorize: () => undefined,
    callService: async (service, operation) => {
      throw new Error(`a recorded case reached ${service}:${operation}`);
    },
  };
}

async function operate(
  functions: StepFunctions,
  operation: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const run = functions.operations[operation];
  if (run === undefined) throw new Error(`no operation ${operation}`);
  return { ...(await run(input, call)) };
}

async function begin(functions: StepFunctions, recorded: RecordedCase): Promise<string> {
  const machine = await operate(functions, 'CreateStateMachine', {
    name: 'recorded',
    definition: JSON.stringify(recorded.definition),
    roleArn: `arn:aws:iam::${account}:role/recorded`,
  });
  const { executionArn } = await operate(functions, 'StartExecution', {
    stateMachineArn: machine['stateMachineArn'],
    name: 'run',
    input: JSON.stringify(recorded.input),
  });
  return String(executionArn);
}

/** Moves the clock on whenever nothing can go on without it; false when the execution hangs. */
async function runToEnd(
  functions: StepFunctions,
  clock: VirtualClock,
  executionArn: string,
): Promise<boolean> {
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    const { status } = await operate(functions, 'DescribeExecution', { executionArn });
    if (status !== 'RUNNING') return true;
    if (!clock.advance()) return false;
  }
}

async function compare(
  functions: StepFunctions,
  executionArn: string,
  { expect }: RecordedCase,
  matcher: Matcher,
  tasks: RecordedTasks,
): Promise<string | undefined> {
  if (tasks.surprise !== undefined) return tasks.surprise;
  const actual = await operate(functions, 'DescribeExecution', { executionArn });
  if (actual['status'] !== expect.status)
    return `status: expected ${expect.status}, got ${JSON.stringify(actual)}`;
  const output = typeof actual['output'] === 'string' ? (JSON.parse(actual['output']) as Json) : undefined;
  const { events } = await operate(functions, 'GetExecutionHistory', { executionArn, maxResults: 1000 });
  return (
    matcher.difference(expect.output, output, 'output') ??
    matcher.difference(expect.error, actual['error'], 'error') ??
    matcher.difference(expect.cause, actual['cause'], 'cause') ??
    compareHistory(
      expect,
      Array.isArray(events) ? events.map((event: object) => flatten({ ...event })) : [],
      matcher,
    )
  );
}

type Flat = Readonly<Record<string, unknown>>;

/**
 * Compares the history event by event.
 *
 * Every recorded case runs one branch or iteration at a time, so that the order is fixed, but for the stretches of a
 * Parallel that the recorder has sorted: those are compared as multisets, and their ends of a Parallel are not there.
 */
function compareHistory(
  { history, historyIncomplete }: RecordedCase['expect'],
  events: readonly Flat[],
  matcher: Matcher,
): string | undefined {
  const gap = events.findIndex(({ id }, index) => id !== index + 1);
  if (gap >= 0) return `history: id ${JSON.stringify(events[gap]?.['id'])} at place ${gap + 1}`;
  const present =
    historyIncomplete === true
      ? events.filter(({ type }) => !/^ParallelState(Succeeded|Failed)$/.test(String(type)))
      : events;
  const types = (list: readonly Flat[]) => list.map(({ type }) => String(type));
  if (present.length !== history.length)
    return `history: expected ${types(history).join(' ')}, got ${types(present).join(' ')}`;
  for (let index = 0; index < history.length;) {
    const stretch = history.slice(index).findIndex(({ unordered }) => unordered !== true);
    const length = stretch === -1 ? history.length - index : stretch;
    const found =
      length === 0
        ? matcher.difference(placed(history[index]), placed(present[index]), `history[${index}]`)
        : compareUnordered(
            history.slice(index, index + length),
            present.slice(index, index + length),
            matcher,
          );
    if (found !== undefined) return found;
    index += Math.max(1, length);
  }
  return undefined;
}

function compareUnordered(
  history: readonly RecordedEvent[],
  events: readonly Flat[],
  matcher: Matcher,
): string | undefined {
  const rest = [...events];
  for (const recorded of history) {
    const place = rest.findIndex(({ type }) => type === recorded.type);
    const [event = {}] = rest.splice(Math.max(0, place), 1);
    const found = matcher.difference(
      omit(recorded, ['unordered']),
      omit(event, ['id', 'previousEventId']),
      `history(unordered ${recorded.type})`,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is compared of an event that has a place: AWS changed what comes before EvaluationFailed in December 2024. */
function placed(event: Flat | undefined): Flat | undefined {
  if (event?.['type'] !== 'EvaluationFailed') return event;
  return omit(event, ['previousEventId']);
}

function omit(event: Flat, names: readonly string[]): Flat {
  return Object.fromEntries(Object.entries(event).filter(([name]) => !names.includes(name)));
}
