import type { Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import type { Event } from './event';
import type { Matches } from './pattern';
import type { Target } from './target';

/** A rule: which events of its bus go to which targets. */
export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly busName: string;
  pattern: string;
  matches: Matches;
  enabled: boolean;
  description: string | undefined;
  readonly targets: Map<string, Target>;
}

/** An event bus with its rules. */
export interface Bus {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly createdAt: number;
  modifiedAt: number;
  policy: { readonly Version: string; readonly Statement: readonly unknown[] } | undefined;
  readonly rules: Map<string, Rule>;
}

/** An archive: the events of a bus that fit its pattern. */
export interface Archive {
  readonly name: string;
  readonly arn: string;
  readonly busArn: string;
  readonly description: string | undefined;
  readonly pattern: string | undefined;
  readonly matches: Matches;
  readonly retentionDays: number;
  readonly createdAt: number;
  readonly events: Event[];
}

/** The account's buses and archives. The default bus is there from the beginning. */
export class BusStore {
  readonly buses = new Map<string, Bus>();
  readonly archives = new Map<string, Archive>();

  constructor(private readonly surroundings: Surroundings) {
    this.create('default', undefined);
  }

  arn(resource: string): string {
    const { partition, region, account } = this.surroundings;
    return `arn:${partition}:events:${region}:${account}:${resource}`;
  }

  ruleArn(busName: string, name: string): string {
    return this.arn(busName === 'default' ? `rule/${name}` : `rule/${busName}/${name}`);
  }

  /** A bus's name, given by name or ARN; the default bus where nothing is given. */
  busName(reference = 'default'): string {
    return /:event-bus\/(.+)$/.exec(reference)?.[1] ?? reference;
  }

  /** A bus's ARN, given by name or ARN, whether it exists or not. */
  busArn(reference = 'default'): string {
    return reference.startsWith('arn:') ? reference : this.arn(`event-bus/${reference}`);
  }

  create(name: string, description: string | undefined): Bus {
    if (this.buses.has(name))
      throw new ServiceError('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
    const now = this.surroundings.clock.now();
    const bus: Bus = {
      name,
      arn: this.arn(`event-bus/${name}`),
      description,
      createdAt: now,
      modifiedAt: now,
      policy: undefined,
      rules: new Map(),
    };
    this.buses.set(name, bus);
    return bus;
  }

  bus(reference?: string): Bus {
    const found = this.findBus(reference);
    if (found !== undefined) return found;
    throw new ServiceError(
      'ResourceNotFoundException',
      `Event bus ${this.busName(reference)} does not exist.`,
    );
  }

  findBus(reference?: string): Bus | undefined {
    const bus = this.buses.get(this.busName(reference));
    return bus?.arn === this.busArn(reference) ? bus : undefined;
  }

  rule(name: string, busReference?: string): Rule {
    const bus = this.bus(busReference);
    const rule = bus.rules.get(name);
    if (rule !== undefined) return rule;
    throw new ServiceError(
      'ResourceNotFoundException',
      `Rule ${name} does not exist on EventBus ${bus.name}.`,
    );
  }

  archive(name: string): Archive {
    const archive = this.archives.get(name);
    if (archive !== undefined) return archive;
    throw new ServiceError('ResourceNotFoundException', `Archive ${name} does not exist.`);
  }
}
