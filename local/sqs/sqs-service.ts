import type { Service, Surroundings } from '../kernel/service';
import type { AuthorizeKeyUse } from './access';
import { QueueAccess } from './access';
import type { OnMessage } from './message-operations';
import { messageOperations } from './message-operations';
import type { Queue } from './queue';
import { queueOperations } from './queue-operations';
import { QueueStore } from './queue-store';

/** What SQS is built with. */
export interface SqsOptions {
  readonly surroundings: Surroundings;
  /** Address of the gateway, which queue URLs begin with. */
  readonly endpoint: () => string;
  readonly authorizeKeyUse: AuthorizeKeyUse;
  readonly onMessage?: OnMessage;
}

/** SQS, with what the rehearsal may look at beyond the API. */
export interface SqsService extends Service {
  readonly queues: () => readonly Queue[];
  /** Ends all long polls, which then answer QueueDoesNotExist. */
  readonly stop: () => void;
}

/** Builds the embedded SQS: standard queues under the JSON protocol. */
export function createSqs({ surroundings, endpoint, authorizeKeyUse, onMessage }: SqsOptions): SqsService {
  const store = new QueueStore(surroundings, endpoint);
  const access = new QueueAccess(surroundings, authorizeKeyUse);
  return {
    id: 'sqs',
    operations: {
      ...queueOperations(store, access),
      ...messageOperations(store, access, onMessage ?? (() => undefined)),
    },
    queues: () => store.all,
    stop: () => {
      for (const queue of store.all) queue.close();
    },
  };
}
