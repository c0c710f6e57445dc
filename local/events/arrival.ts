import type { Principal } from '../kernel/service';
import type { Event } from './event';

/**
 * The ways between buses that an event has behind it. It goes once to a bus of the same region, of whatever account, and
 * once to another region; what would be a second of either is not delivered, also within one account
 * (AWS: EventBridge, "Sending and receiving events between AWS accounts").
 */
export interface Hops {
  readonly sameRegion: boolean;
  readonly otherRegion: boolean;
}

/** The hops of an event that was put and not forwarded. */
export const noHops: Hops = { sameRegion: false, otherRegion: false };

/** An event that a rule brings to another bus. */
export interface Arrival {
  readonly event: Event;
  readonly busArn: string;
  /** The role of the rule's target, in the account of the rule. */
  readonly principal: Principal;
  readonly ruleArn: string;
  readonly hops: Hops;
}

/** The EventBridge of one account and region, as rules elsewhere reach it. */
export interface Receiver {
  /** Takes an event onto a bus, or refuses it as that bus's policy says; on a bus that does not exist it is dropped. */
  receive(arrival: Arrival): void;
}
