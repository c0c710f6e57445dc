import * as z from 'zod';
import { isRecord } from '../gateway/wire-values';
import type { Call, Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { Bus, BusStore } from './bus';
import { byName, page } from './page';
import { compilePattern } from './pattern';

const busName = z.string().regex(/^[/.\-_A-Za-z0-9]{1,256}$/);
const tags = z.array(z.strictObject({ Key: z.string(), Value: z.string() }));
const createInput = z.object({
  Name: busName,
  Description: z.string().max(512).optional(),
  Tags: tags.optional(),
});
const deleteInput = z.object({ Name: z.string() });
const describeInput = z.object({ Name: z.string().optional() });
const listInput = z.object({
  NamePrefix: z.string().optional(),
  NextToken: z.string().optional(),
  Limit: z.int().min(1).max(100).optional(),
});
const permitInput = z.object({
  EventBusName: z.string().optional(),
  Action: z.string().optional(),
  Principal: z.string().optional(),
  StatementId: z.string().optional(),
  Policy: z.string().optional(),
});
const removeInput = z.object({
  EventBusName: z.string().optional(),
  StatementId: z.string().optional(),
  RemoveAllPermissions: z.boolean().optional(),
});
const testInput = z.object({ EventPattern: z.string(), Event: z.string() });

/** Operations on buses and their policies. */
export function busOperations(
  surroundings: Surroundings,
  store: BusStore,
): Readonly<Record<string, Operation>> {
  const require = (call: Call, action: string, resource: string) =>
    surroundings.authorize(call, { action: `events:${action}`, resource });
  const describe = (bus: Bus) => ({
    Name: bus.name,
    Arn: bus.arn,
    Description: bus.description,
    Policy: bus.policy === undefined ? undefined : JSON.stringify(bus.policy),
    CreationTime: new Date(bus.createdAt),
    LastModifiedTime: new Date(bus.modifiedAt),
  });
  const setPolicy = (bus: Bus, policy: Bus['policy']) => {
    bus.policy = policy;
    bus.modifiedAt = surroundings.clock.now();
  };

  return {
    async CreateEventBus(input, call) {
      const { Name, Description } = parseInput('CreateEventBus', createInput, input);
      require(call, 'CreateEventBus', store.busArn(Name));
      const bus = store.create(Name, Description);
      return { EventBusArn: bus.arn, Description };
    },

    async DeleteEventBus(input, call) {
      const { Name } = parseInput('DeleteEventBus', deleteInput, input);
      require(call, 'DeleteEventBus', store.busArn(Name));
      if (store.busName(Name) === 'default')
        throw new ServiceError('ValidationException', 'Cannot delete event bus default.');
      const bus = store.findBus(Name);
      if (bus !== undefined && bus.rules.size > 0)
        throw new ServiceError('ValidationException', "Event bus can't be deleted since it has rules.");
      if (bus !== undefined) store.buses.delete(bus.name);
      return {};
    },

    async DescribeEventBus(input, call) {
      const { Name } = parseInput('DescribeEventBus', describeInput, input);
      require(call, 'DescribeEventBus', store.busArn(Name));
      return describe(store.bus(Name));
    },

    async ListEventBuses(input, call) {
      const { NamePrefix, NextToken, Limit } = parseInput('ListEventBuses', listInput, input);
      require(call, 'ListEventBuses', '*');
      const { items, next } = page(byName(store.buses.values(), NamePrefix), Limit, NextToken);
      return { EventBuses: items.map(describe), NextToken: next };
    },

    async PutPermission(input, call) {
      const { EventBusName, Policy, ...statement } = parseInput('PutPermission', permitInput, input);
      require(call, 'PutPermission', store.busArn(EventBusName));
      const bus = store.bus(EventBusName);
      setPolicy(
        bus,
        Policy === undefined ? withStatement(bus, statement, surroundings) : parsePolicy(Policy),
      );
      return {};
    },

    async RemovePermission(input, call) {
      const { EventBusName, StatementId, RemoveAllPermissions } = parseInput(
        'RemovePermission',
        removeInput,
        input,
      );
      require(call, 'RemovePermission', store.busArn(EventBusName));
      const bus = store.bus(EventBusName);
      const statements = bus.policy?.Statement ?? [];
      const rest =
        RemoveAllPermissions === true ? [] : statements.filter((one) => sidOf(one) !== StatementId);
      if (RemoveAllPermissions !== true && rest.length === statements.length)
        throw new ServiceError(
          'ResourceNotFoundException',
          statements.length === 0
            ? 'EventBus does not have a policy.'
            : 'Statement with the provided id does not exist.',
        );
      setPolicy(bus, rest.length === 0 ? undefined : { Version: '2012-10-17', Statement: rest });
      return {};
    },

    async TestEventPattern(input, call) {
      const { EventPattern, Event } = parseInput('TestEventPattern', testInput, input);
      require(call, 'TestEventPattern', '*');
      const matches = compilePattern(EventPattern);
      return { Result: matches(parseEvent(Event)) };
    },
  };
}

function withStatement(
  bus: Bus,
  {
    Action,
    Principal,
    StatementId,
  }: { Action?: string | undefined; Principal?: string | undefined; StatementId?: string | undefined },
  { partition }: Surroundings,
): Bus['policy'] {
  if (Action !== 'events:PutEvents' || Principal === undefined || StatementId === undefined)
    throw new ServiceError(
      'ValidationException',
      'PutPermission takes either Policy, or StatementId, Principal and the Action events:PutEvents.',
    );
  if (Principal !== '*' && !/^\d{12}$/.test(Principal))
    throw new ServiceError('ValidationException', `Parameter Principal is not valid: ${Principal}`);
  const statement = {
    Sid: StatementId,
    Effect: 'Allow',
    Principal: Principal === '*' ? '*' : { AWS: `arn:${partition}:iam::${Principal}:root` },
    Action,
    Resource: bus.arn,
  };
  const others = (bus.policy?.Statement ?? []).filter((one) => sidOf(one) !== StatementId);
  return { Version: '2012-10-17', Statement: [...others, statement] };
}

function sidOf(statement: unknown): unknown {
  return isRecord(statement) ? statement['Sid'] : undefined;
}

function parsePolicy(text: string): Bus['policy'] {
  if (Buffer.byteLength(text) > 10_240)
    throw new ServiceError('PolicyLengthExceededException', 'Policy length exceeds the limit of 10240.');
  const parsed = parse(text);
  const statements = isRecord(parsed) ? parsed['Statement'] : undefined;
  if (!isRecord(parsed) || statements === undefined)
    throw new ServiceError('ValidationException', 'Policy is not valid: it has no Statement.');
  const version = parsed['Version'];
  const list: readonly unknown[] = Array.isArray(statements) ? statements : [statements];
  return { Version: typeof version === 'string' ? version : '2008-10-17', Statement: list };
}

/** The members that TestEventPattern asks of an event. */
const envelope = ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type'];

function parseEvent(text: string): unknown {
  const event = parse(text);
  if (!isRecord(event)) throw new ServiceError('ValidationException', 'Parameter Event is not valid.');
  const missing = envelope.find((member) => event[member] === undefined);
  if (missing !== undefined)
    throw new ServiceError(
      'ValidationException',
      `Parameter Event is not valid. Reason: Event must contain ${missing}.`,
    );
  return event;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
