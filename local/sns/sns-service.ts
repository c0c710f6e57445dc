import { Outstanding } from '../events/outstanding';
import type { Service, Surroundings } from '../kernel/service';
import type { AuthorizeKeyUse } from './access';
import { TopicAccess } from './access';
import type { DeliveryOutcome, OutboxEntry } from './delivery';
import { Delivery } from './delivery';
import type { Notification } from './notification';
import { subscriptionOperations } from './subscription-operations';
import { topicOperations } from './topic-operations';
import { TopicStore } from './topic-store';

/** What SNS is built with. */
export interface SnsOptions {
  readonly surroundings: Surroundings;
  readonly authorizeKeyUse: AuthorizeKeyUse;
  /** Told of every message that a topic accepts, also where nobody has subscribed. */
  readonly onPublish?: (notification: Notification) => void;
  /** Told how each delivery to each subscription ended. */
  readonly onOutcome?: (outcome: DeliveryOutcome) => void;
}

/** SNS, with what the rehearsal may look at beyond the API. */
export interface SnsService extends Service {
  /** Mails and requests to addresses beyond this machine, in order. */
  readonly outbox: readonly OutboxEntry[];
  /** Resolves once every delivery has ended. */
  readonly idle: () => Promise<void>;
  /** Drops deliveries that wait for another attempt. */
  readonly stop: () => void;
}

/** Builds the embedded SNS: standard topics, their policies and keys, and deliveries that go on after Publish. */
export function createSns({ surroundings, authorizeKeyUse, onPublish, onOutcome }: SnsOptions): SnsService {
  const store = new TopicStore(surroundings);
  const access = new TopicAccess(surroundings, authorizeKeyUse);
  const outstanding = new Outstanding(surroundings.clock);
  const delivery = new Delivery(surroundings, outstanding, onOutcome ?? (() => undefined));
  return {
    id: 'sns',
    operations: {
      ...topicOperations(surroundings, store, access, delivery, onPublish ?? (() => undefined)),
      ...subscriptionOperations(surroundings, store, access),
    },
    outbox: delivery.outbox,
    idle: () => outstanding.idle(),
    stop: () => outstanding.stop(),
  };
}
