import type { Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { Queue } from './queue';
import { checkQueueAttributes, redriveInvalid, redriveOf } from './queue-attributes';

/** The account's queues, by name. */
export class QueueStore {
  private readonly queues = new Map<string, Queue>();

  constructor(
    private readonly surroundings: Surroundings,
    private readonly endpoint: () => string,
  ) {}

  get all(): readonly Queue[] {
    return [...this.queues.values()];
  }

  arnOf(name: string): string {
    const { partition, region, account } = this.surroundings;
    return `arn:${partition}:sqs:${region}:${account}:${name}`;
  }

  urlOf(name: string): string {
    return `${this.endpoint()}/${this.surroundings.account}/${name}`;
  }

  byName(name: string): Queue {
    const queue = this.queues.get(name);
    if (queue === undefined)
      throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  }

  /** Finds a queue by its URL. Only account and name count: the host is the gateway's, whose port changes. */
  byUrl(url: string): Queue {
    const [account, name = ''] = url.replace(/^[a-z]+:\/\/[^/]*\//, '').split('/');
    if (account !== this.surroundings.account)
      throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
    return this.byName(name);
  }

  byArn(arn: string): Queue | undefined {
    return this.all.find((queue) => queue.arn === arn);
  }

  /** Creates a queue, or finds the one that exists with these attributes. */
  create(name: string, attributes: Readonly<Record<string, string>>): Queue {
    if (name.endsWith('.fifo'))
      throw new ServiceError('UnsupportedParameter', 'The embedded cloud does not implement FIFO queues.');
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(name))
      throw new ServiceError(
        'InvalidParameterValue',
        'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
      );
    this.check(attributes);
    const existing = this.queues.get(name);
    if (existing !== undefined) {
      for (const [attribute, value] of Object.entries(attributes))
        if (existing.attributes[attribute] !== value)
          throw new ServiceError(
            'QueueNameExists',
            `A queue already exists with the same name and a different value for attribute ${attribute}`,
          );
      return existing;
    }
    const queue = new Queue(
      name,
      this.arnOf(name),
      withoutEmpty(attributes),
      this.surroundings.clock,
      (arn) => this.byArn(arn),
    );
    this.queues.set(name, queue);
    return queue;
  }

  update(queue: Queue, attributes: Readonly<Record<string, string>>): void {
    this.check(attributes);
    queue.attributes = withoutEmpty({ ...queue.attributes, ...attributes });
    queue.modifiedAt = this.surroundings.clock.now();
  }

  remove(queue: Queue): void {
    this.queues.delete(queue.name);
    queue.close();
  }

  private check(attributes: Readonly<Record<string, string>>): void {
    checkQueueAttributes(attributes);
    const text = attributes['RedrivePolicy'];
    if (text === undefined || text === '') return;
    const redrive = redriveOf({ RedrivePolicy: text });
    if (redrive !== undefined && this.byArn(redrive.deadLetterTargetArn) === undefined)
      throw redriveInvalid(text, 'Dead letter target does not exist.');
  }
}

function withoutEmpty(attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''));
}
