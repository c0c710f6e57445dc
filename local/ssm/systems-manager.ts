import { setMaxListeners } from 'node:events';
import type { Service, Surroundings } from '../kernel/service';
import { Fleet } from './fleet';
import { runCommandOperations } from './run-command';
import { createParameterStore } from './service';

/** Systems Manager, with what the rehearsal may do beyond the API. */
export interface SystemsManager extends Service {
  /** Nodes and documents that Run Command knows. */
  readonly fleet: Fleet;
  /** Drops commands that are under way. */
  readonly stop: () => void;
}

/** Builds the embedded Systems Manager: Parameter Store and what stands beside it, and Run Command. */
export function createSystemsManager(surroundings: Surroundings): SystemsManager {
  const fleet = new Fleet();
  const end = new AbortController();
  // Every wait listens for the end, and there may be any number of them.
  setMaxListeners(0, end.signal);
  return {
    id: 'ssm',
    operations: {
      ...createParameterStore(surroundings).operations,
      ...runCommandOperations(surroundings, fleet, end.signal),
    },
    fleet,
    stop: () => end.abort(new Error('the embedded cloud stops')),
  };
}
