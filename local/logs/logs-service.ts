import * as z from 'zod';
import type { Call, Operation, Service, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { parseFilterPattern } from './filter-pattern';
import type { LogGroup } from './log-store';
import { LogStore } from './log-store';

/** CloudWatch Logs, with what other services and the rehearsal may do beyond the API. */
export interface LogsService extends Service {
  /** Adds a line as of now, and makes the group and the stream where they are missing. */
  readonly append: (group: string, stream: string, line: string) => void;
  readonly groups: () => readonly LogGroup[];
}

const name = z.string().min(1).max(512);
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const groupInput = z.object({ logGroupName: name });
const createGroupInput = groupInput.extend({
  kmsKeyId: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  logGroupClass: z.literal('STANDARD').optional(),
});
const retentionInput = groupInput.extend({ retentionInDays: z.int() });
const streamInput = groupInput.extend({ logStreamName: name });
const putInput = streamInput.extend({
  logEvents: z
    .array(z.strictObject({ timestamp: z.int(), message: z.string().min(1) }))
    .min(1)
    .max(10_000),
  sequenceToken: z.string().optional(),
});
const describeGroupsInput = z.object({
  logGroupNamePrefix: z.string().optional(),
  nextToken: z.string().optional(),
  limit: z.int().min(1).max(50).optional(),
});
const describeStreamsInput = groupInput.extend({
  logStreamNamePrefix: z.string().optional(),
  orderBy: z.enum(['LogStreamName', 'LastEventTime']).optional(),
  descending: z.boolean().optional(),
  nextToken: z.string().optional(),
  limit: z.int().min(1).max(50).optional(),
});
const range = {
  startTime: z.int().optional(),
  endTime: z.int().optional(),
  nextToken: z.string().optional(),
  limit: z.int().min(1).max(10_000).optional(),
};
const getInput = streamInput.extend({ ...range, startFromHead: z.boolean().optional() });
const filterInput = groupInput.extend({
  ...range,
  logStreamNames: z.array(name).optional(),
  logStreamNamePrefix: z.string().optional(),
  filterPattern: z.string().optional(),
  interleaved: z.boolean().optional(),
});

/** Builds the embedded CloudWatch Logs: groups, streams and lines. */
export function createLogs(surroundings: Surroundings): LogsService {
  const store = new LogStore(surroundings.clock);
  const { partition, region, account } = surroundings;
  // AWS writes ARNs of groups with an empty stream behind them, which is what `<group>:*` in a policy matches.
  const require = (call: Call, action: string, group: string, stream = '') =>
    surroundings.authorize(call, {
      action: `logs:${action}`,
      resource: `arn:${partition}:logs:${region}:${account}:log-group:${group}:log-stream:${stream}`,
    });
  const groupArn = (group: string) => `arn:${partition}:logs:${region}:${account}:log-group:${group}`;

  const operations: Readonly<Record<string, Operation>> = {
    async CreateLogGroup(input, call) {
      const { logGroupName, kmsKeyId } = parseInput('CreateLogGroup', createGroupInput, input);
      require(call, 'CreateLogGroup', logGroupName);
      store.create(logGroupName, kmsKeyId);
      return {};
    },

    async DeleteLogGroup(input, call) {
      const { logGroupName } = parseInput('DeleteLogGroup', groupInput, input);
      require(call, 'DeleteLogGroup', logGroupName);
      store.remove(logGroupName);
      return {};
    },

    async PutRetentionPolicy(input, call) {
      const { logGroupName, retentionInDays } = parseInput('PutRetentionPolicy', retentionInput, input);
      require(call, 'PutRetentionPolicy', logGroupName);
      if (!retentions.includes(retentionInDays))
        throw new ServiceError(
          'InvalidParameterException',
          `Value ${retentionInDays} for retentionInDays is not one of ${retentions.join(', ')}.`,
        );
      store.group(logGroupName).retentionInDays = retentionInDays;
      return {};
    },

    async DeleteRetentionPolicy(input, call) {
      const { logGroupName } = parseInput('DeleteRetentionPolicy', groupInput, input);
      require(call, 'DeleteRetentionPolicy', logGroupName);
      store.group(logGroupName).retentionInDays = undefined;
      return {};
    },

    async CreateLogStream(input, call) {
      const { logGroupName, logStreamName } = parseInput('CreateLogStream', streamInput, input);
      require(call, 'CreateLogStream', logGroupName, logStreamName);
      store.group(logGroupName).createStream(logStreamName);
      return {};
    },

    async PutLogEvents(input, call) {
      const { logGroupName, logStreamName, logEvents } = parseInput('PutLogEvents', putInput, input);
      require(call, 'PutLogEvents', logGroupName, logStreamName);
      const group = store.group(logGroupName);
      for (const [index, event] of logEvents.entries())
        if (event.timestamp < (logEvents[index - 1]?.timestamp ?? 0))
          throw new ServiceError(
            'InvalidParameterException',
            'Log events in a single PutLogEvents request must be in chronological order.',
          );
      group.append(logStreamName, logEvents);
      // The sequence token means nothing since 2023; clients still expect one.
      return { nextSequenceToken: String(group.stream(logStreamName).events.length).padStart(56, '0') };
    },

    async DescribeLogGroups(input, call) {
      const {
        logGroupNamePrefix = '',
        nextToken = '',
        limit = 50,
      } = parseInput('DescribeLogGroups', describeGroupsInput, input);
      require(call, 'DescribeLogGroups', '');
      const rest = store.groups.filter(
        (group) => group.name.startsWith(logGroupNamePrefix) && group.name > nextToken,
      );
      const page = rest.slice(0, limit);
      return {
        logGroups: page.map((group) => ({
          logGroupName: group.name,
          arn: `${groupArn(group.name)}:*`,
          logGroupArn: groupArn(group.name),
          creationTime: group.createdAt,
          retentionInDays: group.retentionInDays,
          kmsKeyId: group.kmsKeyId,
          metricFilterCount: 0,
          storedBytes: 0,
          logGroupClass: 'STANDARD',
        })),
        ...(rest.length > page.length && { nextToken: page.at(-1)?.name }),
      };
    },

    async DescribeLogStreams(input, call) {
      const request = parseInput('DescribeLogStreams', describeStreamsInput, input);
      require(call, 'DescribeLogStreams', request.logGroupName);
      const { limit = 50, logStreamNamePrefix = '' } = request;
      const streams = store
        .group(request.logGroupName)
        .streams.filter((stream) => stream.name.startsWith(logStreamNamePrefix));
      const last = (events: readonly { readonly timestamp: number }[]) => events.at(-1)?.timestamp ?? 0;
      if (request.orderBy === 'LastEventTime') streams.sort((a, b) => last(a.events) - last(b.events));
      if (request.descending === true) streams.reverse();
      const from = offsetOf(request.nextToken);
      return {
        logStreams: streams.slice(from, from + limit).map((stream) => ({
          logStreamName: stream.name,
          arn: `${groupArn(request.logGroupName)}:log-stream:${stream.name}`,
          creationTime: stream.createdAt,
          storedBytes: 0,
          ...(stream.events.length > 0 && {
            firstEventTimestamp: stream.events[0]?.timestamp,
            lastEventTimestamp: last(stream.events),
            lastIngestionTime: stream.events.at(-1)?.ingestionTime,
          }),
        })),
        ...(streams.length > from + limit && { nextToken: String(from + limit) }),
      };
    },

    async GetLogEvents(input, call) {
      const request = parseInput('GetLogEvents', getInput, input);
      require(call, 'GetLogEvents', request.logGroupName, request.logStreamName);
      const { events } = store.group(request.logGroupName).stream(request.logStreamName);
      const selected = events.filter((event) =>
        isWithin(event.timestamp, request.startTime, request.endTime),
      );
      const { limit = 10_000, nextToken, startFromHead = false } = request;
      const { from, to } = window(selected.length, limit, nextToken, startFromHead);
      return {
        events: selected
          .slice(from, to)
          .map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
        nextForwardToken: `f/${String(to).padStart(56, '0')}`,
        nextBackwardToken: `b/${String(from).padStart(56, '0')}`,
      };
    },

    async FilterLogEvents(input, call) {
      const request = parseInput('FilterLogEvents', filterInput, input);
      require(call, 'FilterLogEvents', request.logGroupName);
      const { limit = 10_000, logStreamNames, logStreamNamePrefix = '' } = request;
      const matches = parseFilterPattern(request.filterPattern ?? '');
      const found = store
        .group(request.logGroupName)
        .streams.filter(
          (stream) => logStreamNames?.includes(stream.name) ?? stream.name.startsWith(logStreamNamePrefix),
        )
        .flatMap((stream) => stream.events.map((event) => ({ logStreamName: stream.name, ...event })))
        .filter(
          (event) => isWithin(event.timestamp, request.startTime, request.endTime) && matches(event.message),
        )
        .sort((a, b) => a.timestamp - b.timestamp);
      const from = offsetOf(request.nextToken);
      return {
        events: found.slice(from, from + limit),
        searchedLogStreams: [],
        ...(found.length > from + limit && { nextToken: String(from + limit) }),
      };
    },
  };
  return {
    id: 'logs',
    operations,
    append: (group, stream, line) => store.append(group, stream, line),
    groups: () => store.groups,
  };
}

function isWithin(timestamp: number, startTime = 0, endTime = Infinity): boolean {
  return timestamp >= startTime && timestamp < endTime;
}

function offsetOf(token: string | undefined): number {
  if (token === undefined) return 0;
  if (/^\d{1,15}$/.test(token)) return Number(token);
  throw new ServiceError('InvalidParameterException', 'The specified nextToken is invalid.');
}

/** The part of a stream that one GetLogEvents answers; tokens are positions with the direction before them. */
function window(length: number, limit: number, token: string | undefined, fromHead: boolean) {
  const position = token === undefined ? undefined : Number(/^[fb]\/(\d{56})$/.exec(token)?.[1]);
  if (position !== undefined && Number.isNaN(position))
    throw new ServiceError('InvalidParameterException', 'The specified nextToken is invalid.');
  if (token?.startsWith('b') ?? !fromHead) {
    const to = position ?? length;
    return { from: Math.max(0, to - limit), to };
  }
  const from = position ?? 0;
  return { from, to: Math.min(length, from + limit) };
}
