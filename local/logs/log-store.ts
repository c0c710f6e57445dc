import { randomUUID } from 'node:crypto';
import type { Clock } from '../kernel/clock';
import { ServiceError } from '../kernel/service';

/** One line of a log. Times are milliseconds since the Unix epoch. */
export interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
  readonly ingestionTime: number;
  readonly eventId: string;
}

/** A stream of a log group, oldest line first. */
export interface LogStream {
  readonly name: string;
  readonly createdAt: number;
  readonly events: readonly LogEvent[];
}

/** A log group and its streams. */
export class LogGroup {
  readonly createdAt: number;
  retentionInDays: number | undefined;
  private readonly byName = new Map<string, { name: string; createdAt: number; events: LogEvent[] }>();

  constructor(
    readonly name: string,
    private readonly clock: Clock,
    readonly kmsKeyId?: string,
  ) {
    this.createdAt = Math.floor(clock.now());
  }

  /** The streams by name. */
  get streams(): readonly LogStream[] {
    return [...this.byName.values()]
      .map((stream) => ({ ...stream, events: this.kept(stream.events) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  has(stream: string): boolean {
    return this.byName.has(stream);
  }

  createStream(name: string): void {
    if (this.byName.has(name))
      throw new ServiceError('ResourceAlreadyExistsException', 'The specified log stream already exists');
    this.byName.set(name, { name, createdAt: Math.floor(this.clock.now()), events: [] });
  }

  stream(name: string): LogStream {
    const stream = this.byName.get(name);
    if (stream === undefined)
      throw new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
    return { ...stream, events: this.kept(stream.events) };
  }

  append(stream: string, lines: readonly { readonly timestamp: number; readonly message: string }[]): void {
    const target = this.byName.get(stream);
    if (target === undefined)
      throw new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
    const ingestionTime = Math.floor(this.clock.now());
    for (const { timestamp, message } of lines)
      target.events.push({ timestamp, message, ingestionTime, eventId: randomUUID() });
  }

  private kept(events: readonly LogEvent[]): readonly LogEvent[] {
    if (this.retentionInDays === undefined) return events;
    const oldest = this.clock.now() - this.retentionInDays * 86_400_000;
    return events.filter((event) => event.timestamp > oldest);
  }
}

/** The account's log groups. */
export class LogStore {
  private readonly byName = new Map<string, LogGroup>();

  constructor(private readonly clock: Clock) {}

  /** The groups by name. */
  get groups(): readonly LogGroup[] {
    return [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  create(name: string, kmsKeyId?: string): LogGroup {
    if (this.byName.has(name))
      throw new ServiceError('ResourceAlreadyExistsException', 'The specified log group already exists');
    const group = new LogGroup(name, this.clock, kmsKeyId);
    this.byName.set(name, group);
    return group;
  }

  group(name: string): LogGroup {
    const group = this.byName.get(name);
    if (group === undefined)
      throw new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.');
    return group;
  }

  remove(name: string): void {
    this.group(name);
    this.byName.delete(name);
  }

  /** Adds one line as of now, and makes the group and the stream where they are missing. */
  append(groupName: string, streamName: string, line: string): void {
    const group = this.byName.get(groupName) ?? this.create(groupName);
    if (!group.has(streamName)) group.createStream(streamName);
    group.append(streamName, [{ timestamp: Math.floor(this.clock.now()), message: line }]);
  }
}
