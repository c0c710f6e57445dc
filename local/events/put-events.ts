import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { isRecord } from '../gateway/wire-values';
import type { Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { BusStore } from './bus';
import type { Router } from './router';

const entryShape = z.strictObject({
  // A date arrives as epoch seconds over the wire and as Date in process.
  Time: z.union([z.number(), z.date()]).optional(),
  Source: z.string().optional(),
  Resources: z.array(z.string()).optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().optional(),
});
const putEventsInput = z.object({ Entries: z.array(entryShape) });

type Entry = z.infer<typeof entryShape>;

// 1 MB since 2025, over all entries of a request.
const mostBytes = 1_048_576;

/** Builds PutEvents: entries are refused one by one, and one that names an unknown bus is dropped without a word. */
export function putEvents(surroundings: Surroundings, store: BusStore, router: Router): Operation {
  return async (input, call) => {
    const { Entries } = parseInput('PutEvents', putEventsInput, input);
    if (Entries.length === 0 || Entries.length > 10)
      throw new ServiceError(
        'ValidationException',
        `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length ${
          Entries.length === 0 ? 'greater than or equal to 1' : 'less than or equal to 10'
        }`,
      );
    for (const { EventBusName, Source, DetailType } of Entries)
      surroundings.authorize(call, {
        action: 'events:PutEvents',
        resource: store.busArn(EventBusName),
        resourcePolicy: store.findBus(EventBusName)?.policy,
        conditions: {
          'events:eventBusInvocation': 'false',
          ...(Source !== undefined && { 'events:source': Source }),
          ...(DetailType !== undefined && { 'events:detail-type': DetailType }),
        },
      });
    if (Entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > mostBytes)
      throw new ServiceError(
        'ValidationException',
        'Total size of the entries in the request is over the limit.',
      );
    const results = Entries.map((entry) => put(entry, call.principal.account, store, router));
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  };
}

function put(entry: Entry, sender: string, store: BusStore, router: Router): object {
  const { Source = '', DetailType = '', Detail = '', Resources, Time, EventBusName } = entry;
  const missing = Object.entries({ Source, DetailType, Detail }).find(([, value]) => value === '')?.[0];
  if (missing !== undefined)
    return {
      ErrorCode: 'InvalidArgument',
      ErrorMessage: `Parameter ${missing} is not valid. Reason: ${missing} is a required argument.`,
    };
  if (Source.startsWith('aws.'))
    return { ErrorCode: 'NotAuthorizedForSource', ErrorMessage: 'Not authorized for the source.' };
  const detail = parseDetail(Detail);
  if (detail === undefined) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  const bus = store.findBus(EventBusName);
  if (bus === undefined) return { EventId: randomUUID() };
  const time = typeof Time === 'number' ? Time * 1000 : Time?.getTime();
  const draft = { source: Source, detailType: DetailType, detail, resources: Resources ?? [] };
  return { EventId: router.put(bus, { ...draft, ...(time !== undefined && { time }) }, sender) };
}

function parseDetail(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Size as EventBridge counts it: 14 bytes for a time, and the text of all other members. */
function sizeOf({ Time, Source = '', DetailType = '', Detail = '', Resources = [] }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : 14);
}
