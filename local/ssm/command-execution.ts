import { sleep, type Clock } from '../kernel/clock';
import { isEnded, isOverErrors, limitOf, outcomeOf, type Command, type Invocation } from './command';
import type { Fleet, ManagedNode } from './fleet';

/** How long the service takes, in milliseconds of the cloud's clock; AWS documents none of it. */
const targetsFoundAfterMs = 500;
const deliveredAfterMs = 1_000;
/** How often a node that does not answer is tried again. */
const triedAgainAfterMs = 5_000;

/** Which nodes a command goes to, and what keeps it from some of them. */
export interface Resolved {
  readonly node: ManagedNode;
  readonly refused?: 'InvalidPlatform' | 'AccessDenied';
}

/** What commands are run with. */
export interface ExecutionPorts {
  readonly clock: Clock;
  readonly fleet: Fleet;
  /** Aborted when the cloud stops: what is under way then is dropped. */
  readonly end: AbortSignal;
}

/**
 * Runs a command after SendCommand was answered: to some nodes at a time, until too many have failed.
 *
 * An invocation: Pending → InProgress → Success, Failed or ExecutionTimedOut; Undeliverable where the node is gone;
 * DeliveryTimedOut where its agent does not answer before the command expires; Terminated where others have failed.
 */
export function execute(command: Command, resolve: () => readonly Resolved[], ports: ExecutionPorts): void {
  const { clock, end } = ports;
  const admit = () => {
    command.invocations = resolve().map(({ node, refused }) => ({
      instanceId: node.instanceId,
      requestedAt: clock.now(),
      details: refused ?? 'Pending',
    }));
  };
  // Instances that are named are known at once; tags are looked up later.
  const named = command.targets.length === 0;
  if (named) admit();
  const work = async () => {
    if (!named) {
      await sleep(clock, targetsFoundAfterMs, end);
      admit();
    }
    const waiting = command.invocations.filter(({ details }) => !isEnded(details));
    const most = Math.max(1, limitOf(command.maxConcurrency, command.invocations.length));
    const serve = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (isOverErrors(command)) next.details = 'Terminated';
        else await deliver(command, next, ports);
      }
    };
    await Promise.all(Array.from({ length: Math.min(most, waiting.length) }, serve));
    command.details = outcomeOf(command);
  };
  work().catch((error: unknown) => {
    if (!end.aborted) throw error;
  });
}

async function deliver(command: Command, invocation: Invocation, ports: ExecutionPorts): Promise<void> {
  const { clock, end, fleet } = ports;
  await sleep(clock, deliveredAfterMs, end);
  for (;;) {
    const node = fleet.node(invocation.instanceId);
    if (node === undefined || node.agent === 'lost') {
      invocation.details = 'Undeliverable';
      return;
    }
    // AWS: the command stays in progress until the agent is there again, or the time is over.
    invocation.details = 'InProgress';
    command.details = 'InProgress';
    if (node.agent === 'online') {
      invocation.details = await run(command, node, ports);
      return;
    }
    const rest = command.expiresAt - clock.now();
    if (rest <= 0) {
      invocation.details = 'DeliveryTimedOut';
      return;
    }
    await sleep(clock, Math.min(rest, triedAgainAfterMs), end);
  }
}

async function run(
  command: Command,
  node: ManagedNode,
  { clock, end }: ExecutionPorts,
): Promise<'Success' | 'Failed' | 'ExecutionTimedOut'> {
  const { commandId, documentName, executionTimeoutSeconds, parameters } = command;
  const over = new AbortController();
  const work = async () => {
    try {
      return (await node.run({ commandId, documentName, parameters })) === 0 ? 'Success' : 'Failed';
    } catch {
      return 'Failed';
    }
  };
  const limit = sleep(clock, executionTimeoutSeconds * 1_000, AbortSignal.any([over.signal, end]));
  try {
    return await Promise.race([work(), limit.then(() => 'ExecutionTimedOut' as const)]);
  } finally {
    over.abort(new Error('the document has ended'));
  }
}
