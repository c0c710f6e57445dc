import * as z from 'zod';
import type { Call, Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { Archive, BusStore } from './bus';
import { byName, page } from './page';
import { compilePattern } from './pattern';

const name = z.string().regex(/^[.\-_A-Za-z0-9]{1,48}$/);
const createInput = z.object({
  ArchiveName: name,
  EventSourceArn: z.string(),
  Description: z.string().max(512).optional(),
  EventPattern: z.string().max(4096).optional(),
  RetentionDays: z.int().min(0).optional(),
});
const onArchive = z.object({ ArchiveName: name });
const listInput = z.object({
  NamePrefix: z.string().optional(),
  EventSourceArn: z.string().optional(),
  NextToken: z.string().optional(),
  Limit: z.int().min(1).max(100).optional(),
});

/** Operations on archives. What an archive keeps can be looked at, and not be replayed. */
export function archiveOperations(
  surroundings: Surroundings,
  store: BusStore,
): Readonly<Record<string, Operation>> {
  const require = (call: Call, action: string, archive: string) =>
    surroundings.authorize(call, { action: `events:${action}`, resource: store.arn(`archive/${archive}`) });

  return {
    async CreateArchive(input, call) {
      const request = parseInput('CreateArchive', createInput, input);
      require(call, 'CreateArchive', request.ArchiveName);
      const bus = store.bus(request.EventSourceArn);
      if (store.archives.has(request.ArchiveName))
        throw new ServiceError(
          'ResourceAlreadyExistsException',
          `Archive ${request.ArchiveName} already exists.`,
        );
      const { EventPattern } = request;
      const archive: Archive = {
        name: request.ArchiveName,
        arn: store.arn(`archive/${request.ArchiveName}`),
        busArn: bus.arn,
        description: request.Description,
        pattern: EventPattern,
        matches: EventPattern === undefined ? () => true : compilePattern(EventPattern),
        retentionDays: request.RetentionDays ?? 0,
        createdAt: surroundings.clock.now(),
        events: [],
      };
      store.archives.set(archive.name, archive);
      return { ArchiveArn: archive.arn, State: 'ENABLED', CreationTime: new Date(archive.createdAt) };
    },

    async DescribeArchive(input, call) {
      const { ArchiveName } = parseInput('DescribeArchive', onArchive, input);
      require(call, 'DescribeArchive', ArchiveName);
      const archive = store.archive(ArchiveName);
      return {
        ...describe(archive),
        ArchiveArn: archive.arn,
        Description: archive.description,
        EventPattern: archive.pattern,
      };
    },

    async ListArchives(input, call) {
      const request = parseInput('ListArchives', listInput, input);
      surroundings.authorize(call, { action: 'events:ListArchives', resource: '*' });
      const archives = byName(store.archives.values(), request.NamePrefix).filter(
        (archive) => request.EventSourceArn === undefined || archive.busArn === request.EventSourceArn,
      );
      const { items, next } = page(archives, request.Limit, request.NextToken);
      return { Archives: items.map(describe), NextToken: next };
    },

    async DeleteArchive(input, call) {
      const { ArchiveName } = parseInput('DeleteArchive', onArchive, input);
      require(call, 'DeleteArchive', ArchiveName);
      store.archive(ArchiveName);
      store.archives.delete(ArchiveName);
      return {};
    },
  };
}

function describe(archive: Archive) {
  return {
    ArchiveName: archive.name,
    EventSourceArn: archive.busArn,
    State: 'ENABLED',
    RetentionDays: archive.retentionDays,
    SizeBytes: Buffer.byteLength(archive.events.map((event) => JSON.stringify(event)).join('')),
    EventCount: archive.events.length,
    CreationTime: new Date(archive.createdAt),
  };
}
