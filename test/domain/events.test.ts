import * as z from 'zod/mini';
import { detailTypes, eventSchemas } from '../../domain/events';

const acknowledgement = {
  schemaVersion: '1',
  consumer: 'web',
  secret: { arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf', name: 'app' },
  versionId: 'v-token',
  taskToken: 'token',
  outcome: 'loaded',
  time: '2026-01-01T00:00:00Z',
};
const schema = eventSchemas[detailTypes.refreshAcknowledged];

test('there is a schema for each detail type and for nothing else', () => {
  expect(Object.keys(eventSchemas).sort()).toEqual(Object.values(detailTypes).sort());
});

test('an acknowledgement without a reason is whole', () => {
  expect(z.safeParse(schema, acknowledgement).success).toBe(true);
});

test.each([
  ['schemaVersion', '2'],
  ['consumer', ''],
  ['consumer', 'x'.repeat(257)],
  ['versionId', ''],
  ['versionId', 'x'.repeat(65)],
  ['taskToken', ''],
  ['taskToken', 'x'.repeat(2049)],
  ['outcome', 'done'],
  ['reason', 7],
  ['secret', 'app'],
  ['time', undefined],
])('an acknowledgement with a wrong %s is refused', (field, value) => {
  const parsed = z.safeParse(schema, { ...acknowledgement, [field]: value });
  expect(parsed.success).toBe(false);
  expect(parsed.error?.issues.map((issue) => issue.path[0])).toEqual([field]);
});

test('the fields of all events are these, and none of them holds a secret value', () => {
  const fieldsOf = (value: unknown): string[] =>
    value instanceof z.ZodMiniObject
      ? Object.entries(value.def.shape).flatMap(([name, inner]) => [name, ...fieldsOf(inner)])
      : value instanceof z.ZodMiniArray
        ? fieldsOf(value.def.element)
        : [];
  const fields = new Set(Object.values(eventSchemas).flatMap(fieldsOf));
  expect([...fields].sort()).toMatchInlineSnapshot(`
   [
     "application",
     "arn",
     "by",
     "cause",
     "choices",
     "clientAddress",
     "consumer",
     "consumers",
     "count",
     "current",
     "deadline",
     "decision",
     "decisions",
     "durationMs",
     "ended",
     "error",
     "gapMs",
     "group",
     "ms",
     "name",
     "newestBegan",
     "oldestBegan",
     "openSeconds",
     "outcome",
     "overlap",
     "phase",
     "previousVersionId",
     "reason",
     "reminders",
     "required",
     "rotationId",
     "rotator",
     "schemaVersion",
     "secret",
     "sessions",
     "skip",
     "state",
     "taskToken",
     "time",
     "versionId",
     "wave",
   ]
  `);
});
