import { createHash } from 'node:crypto';
import * as z from 'zod';
import { ServiceError, type Operation, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { stateOf } from './calendar-state';
import { parseChangeCalendar, type ChangeCalendar } from './icalendar';

interface CalendarDocument {
  readonly name: string;
  readonly content: string;
  readonly calendar: ChangeCalendar;
  readonly createdAt: number;
}

/** AWS's limit of a document, in bytes. */
const maxContent = 64 * 1024;
/** Documents of Amazon's that every account has and that are no calendars. */
const otherDocuments: readonly string[] = ['AWS-RunShellScript'];

const createShape = z.object({
  Name: z.string().regex(/^[a-zA-Z0-9_\-.]{3,128}$/),
  Content: z.string().min(1),
  DocumentType: z.optional(z.string()),
  DocumentFormat: z.optional(z.enum(['TEXT', 'JSON', 'YAML'])),
});
const getShape = z.object({ Name: z.string(), DocumentFormat: z.optional(z.literal('TEXT')) });
const stateShape = z.object({
  CalendarNames: z.array(z.string()).min(1),
  AtTime: z.optional(z.string()),
});

/** The operations on change calendars, which are documents of Systems Manager; documents of other types are refused. */
export function createChangeCalendars(surroundings: Surroundings): Readonly<Record<string, Operation>> {
  const { account, authorize, clock, partition, region } = surroundings;
  const documents = new Map<string, CalendarDocument>();
  const arnPrefix = `arn:${partition}:ssm:${region}:${account}:document/`;
  const arnOf = (name: string) => (name.startsWith('arn:') ? name : `${arnPrefix}${name}`);

  const open = (name: string): CalendarDocument => {
    const ownName = name.startsWith(arnPrefix) ? name.slice(arnPrefix.length) : name;
    const document = documents.get(ownName);
    if (document !== undefined) return document;
    if (otherDocuments.includes(ownName))
      throw new ServiceError('InvalidDocumentType', `The document ${name} is no change calendar.`);
    throw new ServiceError('InvalidDocument', `The specified SSM document ${name} doesn't exist.`);
  };

  const createDocument: Operation = async (input, call) => {
    const request = parseInput('CreateDocument', createShape, input);
    authorize(call, { action: 'ssm:CreateDocument', resource: arnOf(request.Name) });
    if (request.DocumentType !== 'ChangeCalendar')
      throw new ServiceError(
        'UnsupportedParameter',
        `The embedded cloud does not implement CreateDocument with DocumentType ${request.DocumentType ?? 'Command'}.`,
      );
    if (/^(?:aws|amazon|amzn)/i.test(request.Name))
      throw new ServiceError(
        'ValidationException',
        `The prefix of the name ${request.Name} is reserved by AWS.`,
      );
    // A calendar is plain text, and JSON is what AWS takes a document for that says nothing.
    if (request.DocumentFormat !== 'TEXT')
      throw new ServiceError(
        'InvalidDocumentContent',
        'The content of a change calendar has the format TEXT.',
      );
    if (Buffer.byteLength(request.Content) > maxContent)
      throw new ServiceError('MaxDocumentSizeExceeded', 'The size limit of a document is 64 KB.');
    if (documents.has(request.Name))
      throw new ServiceError(
        'DocumentAlreadyExists',
        `The specified document ${request.Name} already exists.`,
      );
    const document = {
      name: request.Name,
      content: request.Content,
      calendar: parseChangeCalendar(request.Content),
      createdAt: clock.now(),
    };
    documents.set(document.name, document);
    return {
      DocumentDescription: {
        Name: document.name,
        Owner: account,
        CreatedDate: new Date(document.createdAt),
        Status: 'Creating',
        Hash: createHash('sha256').update(document.content).digest('hex'),
        HashType: 'Sha256',
        DocumentVersion: '1',
        LatestVersion: '1',
        DefaultVersion: '1',
        DocumentType: 'ChangeCalendar',
        DocumentFormat: 'TEXT',
      },
    };
  };

  const getDocument: Operation = async (input, call) => {
    const { Name } = parseInput('GetDocument', getShape, input);
    authorize(call, { action: 'ssm:GetDocument', resource: arnOf(Name) });
    const document = open(Name);
    return {
      Name: document.name,
      CreatedDate: new Date(document.createdAt),
      DocumentVersion: '1',
      Status: 'Active',
      Content: document.content,
      DocumentType: 'ChangeCalendar',
      DocumentFormat: 'TEXT',
    };
  };

  const deleteDocument: Operation = async (input, call) => {
    const { Name } = parseInput('DeleteDocument', z.object({ Name: z.string() }), input);
    authorize(call, { action: 'ssm:DeleteDocument', resource: arnOf(Name) });
    documents.delete(open(Name).name);
    return {};
  };

  const getCalendarState: Operation = async (input, call) => {
    const request = parseInput('GetCalendarState', stateShape, input);
    for (const name of request.CalendarNames)
      authorize(call, { action: 'ssm:GetCalendarState', resource: arnOf(name) });
    const time = request.AtTime === undefined ? clock.now() : Date.parse(request.AtTime);
    if (!Number.isFinite(time))
      throw new ServiceError('ValidationException', 'GetCalendarState: AtTime is no ISO 8601 time.');
    const { open: isOpen, nextTransition } = stateOf(
      request.CalendarNames.map((name) => open(name).calendar),
      time,
    );
    return {
      State: isOpen ? 'OPEN' : 'CLOSED',
      AtTime: written(time),
      ...(nextTransition === undefined ? {} : { NextTransitionTime: written(nextTransition) }),
    };
  };

  return {
    CreateDocument: createDocument,
    DeleteDocument: deleteDocument,
    GetCalendarState: getCalendarState,
    GetDocument: getDocument,
  };
}

/** ISO 8601 in UTC, to the second. */
function written(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
