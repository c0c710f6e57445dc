import type { Principal, Service, Surroundings } from '../kernel/service';
import type { Receiver } from './arrival';
import { archiveOperations } from './archive-operations';
import { busOperations } from './bus-operations';
import { BusStore } from './bus';
import type { Event } from './event';
import { Outstanding } from './outstanding';
import { putEvents } from './put-events';
import type { EventDraft, EventObserver } from './router';
import { Router } from './router';
import { ruleOperations } from './rule-operations';

/** What EventBridge is built with. */
export interface EventsOptions {
  readonly surroundings: Surroundings;
  /** Becomes the role of a target bus, for events.amazonaws.com; throws where the role does not trust it. */
  readonly assumeRole: (roleArn: string, sessionName: string) => Principal | Promise<Principal>;
  /** The EventBridge of another account or region, for rules whose target is a bus there; none by default. */
  readonly elsewhere?: (account: string, region: string) => Receiver | undefined;
  readonly observer?: EventObserver;
  /** A number from 0 to 1, for jitter between attempts. */
  readonly random?: () => number;
}

/** EventBridge, with what AWS's own services and the rehearsal may do beyond the API. */
export interface EventsService extends Service, Receiver {
  /** Puts an event of an AWS service on the default bus. */
  readonly publish: (draft: EventDraft) => void;
  /** The events that archives keep, by archive. */
  readonly archived: () => Readonly<Record<string, readonly Event[]>>;
  /** Resolves once every event has reached its targets, a dead-letter queue, or nothing. */
  readonly idle: () => Promise<void>;
  /** Drops deliveries that wait for another attempt. */
  readonly stop: () => void;
}

/** Builds the embedded EventBridge: buses, rules, archives, and deliveries that go on after PutEvents. */
export function createEvents(options: EventsOptions): EventsService {
  const { surroundings, assumeRole, elsewhere = () => undefined, observer, random } = options;
  const store = new BusStore(surroundings);
  const outstanding = new Outstanding(surroundings.clock);
  const ports = { assumeRole, elsewhere, random: random ?? Math.random };
  const router = new Router(surroundings, store, outstanding, ports, observer ?? {});
  return {
    id: 'eventbridge',
    operations: {
      PutEvents: putEvents(surroundings, store, router),
      ...busOperations(surroundings, store),
      ...ruleOperations(surroundings, store),
      ...archiveOperations(surroundings, store),
    },
    receive: (arrival) => router.receive(arrival),
    publish: (draft) => void router.put(store.bus(), draft),
    archived: () =>
      Object.fromEntries([...store.archives.values()].map((archive) => [archive.name, archive.events])),
    idle: () => outstanding.idle(),
    stop: () => outstanding.stop(),
  };
}
