import { randomUUID } from 'node:crypto';
import type { Surroundings } from '../kernel/service';
import type { Arrival, Hops, Receiver } from './arrival';
import { noHops } from './arrival';
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

/** What a router needs beyond its own account and region. */
export interface RouterPorts extends Pick<DeliveryPorts, 'assumeRole' | 'random'> {
  /** The EventBridge of another account or region; undefined where there is none. */
  readonly elsewhere: (account: string, region: string) => Receiver | undefined;
}

/** Takes events on buses and sends them to archives and to the targets of the rules that they fit. */
export class Router implements Receiver {
  private readonly delivery: Delivery;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly store: BusStore,
    outstanding: Outstanding,
    private readonly ports: RouterPorts,
    private readonly observer: EventObserver,
  ) {
    this.delivery = new Delivery(surroundings, outstanding, {
      ...ports,
      forward: (arrival) => this.placeOf(arrival.busArn).receive(arrival),
      onOutcome: (outcome) => this.observer.ended?.(outcome),
    });
  }

  /** Puts a new event on a bus, from the account of whoever sends it, and answers its id. */
  put(bus: Bus, draft: EventDraft, sender = this.surroundings.account): string {
    const { region, clock } = this.surroundings;
    const event: Event = {
      version: '0',
      id: randomUUID(),
      'detail-type': draft.detailType,
      source: draft.source,
      account: sender,
      time: eventTime(draft.time ?? clock.now()),
      region,
      resources: draft.resources ?? [],
      detail: draft.detail,
    };
    this.route(bus, event, noHops);
    return event.id;
  }

  receive({ event, busArn, principal, ruleArn, hops }: Arrival): void {
    const bus = this.store.findBus(busArn);
    const { authorize, clock, region } = this.surroundings;
    authorize(
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
    if (bus === undefined) return;
    // On its way to another region an event gets another id and time; account and region stay those of its origin.
    const crossed = ruleArn.split(':')[3] !== region;
    const arrived = crossed ? { ...event, id: randomUUID(), time: eventTime(clock.now()) } : event;
    this.route(bus, arrived, hops);
  }

  /** Whose buses an ARN is about; where nobody is there, this one refuses or drops what it does not know. */
  private placeOf(busArn: string): Receiver {
    const [, , , region = '', account = ''] = busArn.split(':');
    const own = account === this.surroundings.account && region === this.surroundings.region;
    return own ? this : (this.ports.elsewhere(account, region) ?? this);
  }

  private route(bus: Bus, event: Event, hops: Hops): void {
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
