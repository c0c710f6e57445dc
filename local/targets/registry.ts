import type { RotatorName } from '../../rotators/registry';
import { postgresKind } from './postgres-target';
import type { TargetKind } from './target';

/** A real target for every rotator: the contract suite and the rehearsal run against these. */
export const targets = {
  'postgres-alternating': postgresKind,
  'postgres-single': postgresKind,
} as const satisfies Readonly<Record<RotatorName, TargetKind>>;
