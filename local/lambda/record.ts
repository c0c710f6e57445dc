import { ServiceError } from '../kernel/service';
import type { LambdaFunction } from './function';

/** How far a configuration is, as GetFunctionConfiguration shows it. */
export interface Status {
  readonly State: 'Active' | 'Pending';
  readonly LastUpdateStatus: 'Successful' | 'InProgress' | 'Failed';
  readonly LastUpdateStatusReason?: string;
  readonly LastUpdateStatusReasonCode?: string;
}

/** A name for a version, or for two with a share of the callers each. */
export interface Alias {
  readonly name: string;
  readonly arn: string;
  readonly version: string;
  readonly description: string;
  /** Shares of other versions, from 0 to 1. */
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId: string;
}

/** A published version: Pending → Active. */
export interface Published {
  readonly fn: LambdaFunction;
  state: 'Pending' | 'Active';
}

/** A function by its name: its $LATEST, its versions, the oldest first, and its aliases by their names. */
export interface FunctionRecord {
  /** What $LATEST's configuration says. */
  latest: LambdaFunction;
  /** What callers of $LATEST run: the configuration from before, while an update is under way or after it failed. */
  running: LambdaFunction;
  status: Status;
  versions: readonly Published[];
  readonly aliases: Map<string, Alias>;
}

/** A function that was just created. */
export function newRecord(fn: LambdaFunction): FunctionRecord {
  return {
    latest: fn,
    running: fn,
    status: { State: 'Active', LastUpdateStatus: 'Successful' },
    versions: [],
    aliases: new Map(),
  };
}

/** A version by its number, or the one that an alias names; undefined for $LATEST. ResourceNotFoundException else. */
export function publishedBy(
  record: FunctionRecord,
  qualifier: string | undefined,
  draw: () => number = Math.random,
): Published | undefined {
  if (qualifier === undefined || qualifier === '$LATEST') return undefined;
  const alias = record.aliases.get(qualifier);
  const version = alias === undefined ? qualifier : drawn(alias, draw());
  if (alias !== undefined && version === '$LATEST') return undefined;
  const found = record.versions.find(({ fn }) => fn.version === version);
  if (found === undefined) throw notFound(`${record.latest.arn}:${qualifier}`);
  return found;
}

/** AWS's answer to a function, version or alias that is not there. */
export function notFound(arn: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', `Function not found: ${arn}`, 404, { Type: 'User' });
}

function drawn({ version, weights }: Alias, draw: number): string {
  let rest = draw;
  for (const [other, share] of Object.entries(weights)) {
    if (rest < share) return other;
    rest -= share;
  }
  return version;
}
