import { randomUUID } from 'node:crypto';
import type { Principal, Surroundings } from '../kernel/service';
import type { Bus, BusStore } from './bus';
import type { DeliveryOutcome, DeliveryPorts } from './delivery';
import { Delivery } from './delivery';
import type { Event } from './event';
import { eventTime } from './event';
import type { Outstanding } from './outstanding';

/** Told of events as they pass; events may hold what a sender leaked, which is what a scanner looks for. */
export interface EventObserver {
  /** A bus took an event, whether any rule wants it or not. */
  accepted?(event: Event, busName: string): void;
  /** The way of an event to a target ended, well or badly. */
  ended?(outcome: DeliveryOutcome): void;
}

/** What a sender says about an event; the rest is filled in. */
export interface EventDraft {
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly resources?: readonly string[];
  /** Milliseconds since the Unix epoch; now, where absent. */
  readonly time?: number;
}

/** Takes events on buses and sends them to archives and to the targets of the rules that they fit. */
export class Router {
  private readonly delivery: Delivery;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly store: BusStore,
    outstanding: Outstanding,
    ports: Pick<DeliveryPorts, 'assumeRole' | 'random'>,
    private readonly observer: EventObserver,
  ) {
    this.delivery = new Delivery(surroundings, outstanding, {
      ...ports,
      forward: (event, busArn, principal, hops) => this.forward(event, busArn, principal, hops),
      onOutcome: (outcome) => this.observer.ended?.(outcome),
    });
  }

  /** Puts a new event on a bus and answers its id. */
  put(bus: Bus, draft: EventDraft): string {
    const { account, region, clock } = this.surroundings;
    const event: Event = {
      version: '0',
      id: randomUUID(),
      'detail-type': draft.detailType,
      source: draft.source,
      account,
      time: eventTime(draft.time ?? clock.now()),
      region,
      resources: draft.resources ?? [],
      detail: draft.detail,
    };
    this.route(bus, event, 1);
    return event.id;
  }

  private forward(event: Event, busArn: string, principal: Principal, hops: number): void {
    const bus = this.store.findBus(busArn);
    this.surroundings.authorize(
      { principal, requestId: randomUUID(), userAgent: 'events.amazonaws.com', conditions: {} },
      {
        action: 'events:PutEvents',
        resource: busArn,
        resourcePolicy: bus?.policy,
        conditions: {
          'events:source': event.source,
          'events:detail-type': event['detail-type'],
          'events:eventBusInvocation': 'true',
        },
      },
    );
    if (bus !== undefined) this.route(bus, event, hops);
  }

  private route(bus: Bus, event: Event, hops: number): void {
    this.observer.accepted?.(event, bus.name);
    for (const archive of this.store.archives.values())
      if (archive.busArn === bus.arn && archive.matches(event)) archive.events.push(event);
    const ingestedAt = this.surroundings.clock.now();
    for (const rule of bus.rules.values()) {
      if (!rule.enabled || !rule.matches(event)) continue;
      for (const target of rule.targets.values())
        this.delivery.start({ event, rule, target, ingestedAt, hops });
    }
  }
}
