import * as z from 'zod';
import { document, text, whole } from '../property-types';
import { defineResource, present, textOf } from '../resource-handler';

/** AWS::Events::Archive. */
export const eventArchive = defineResource(
  {
    ArchiveName: z.string().optional(),
    SourceArn: z.string(),
    Description: text.optional(),
    EventPattern: document.optional(),
    RetentionDays: whole.optional(),
    KmsKeyIdentifier: z.string().optional(),
  },
  async ({ SourceArn, EventPattern, ...settings }, { call, nameOr }) => {
    const name = nameOr(settings.ArchiveName, 48);
    const pattern = EventPattern === undefined ? undefined : JSON.stringify(EventPattern);
    const made = await call(
      'eventbridge',
      'CreateArchive',
      present({ ...settings, ArchiveName: name, EventSourceArn: SourceArn, EventPattern: pattern }),
    );
    return { physicalId: name, attributes: { Arn: textOf(made, 'ArchiveArn'), ArchiveName: name } };
  },
);
