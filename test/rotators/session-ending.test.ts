import { PermissionMissing, TargetRefused } from '../../domain/errors';
import { endSessions } from '../../rotators/session-ending';
import type { OpenSession } from '../../rotators/session-holders';
import { rejection } from './context';

interface Listed extends OpenSession {
  readonly id: number;
}

const session = (id: number, application = 'web'): Listed => ({
  id,
  application,
  clientAddress: '192.0.2.1',
  began: new Date('2026-01-01T00:00:00Z'),
  openSeconds: 60 + id,
});

/** A server whose time passes only while somebody waits for it; each list is what the next look sees, the last one for good. */
function end(
  lists: readonly (readonly Listed[])[],
  refuse: (id: number) => Error | undefined = () => undefined,
) {
  const told: number[] = [];
  let now = 0;
  let looks = 0;
  const ended = endSessions<Listed>(
    {
      list: () => Promise.resolve(lists[Math.min(looks++, lists.length - 1)] ?? []),
      idOf: ({ id }) => String(id),
      end: async ({ id }) => {
        told.push(id);
        const refusal = refuse(id);
        if (refusal !== undefined) throw refusal;
      },
    },
    'app',
    new AbortController().signal,
    {
      now: () => now,
      pause: (ms) => {
        now += ms;
        return Promise.resolve();
      },
    },
  );
  return { ended, told, looks: () => looks, now: () => now };
}

test('who came past the door just before it was shut, and is listed a moment later, is ended too', async () => {
  const run = end([[], [session(1)], []]);
  expect(await run.ended).toMatchObject([{ application: 'web', count: 1, openSeconds: 61 }]);
  expect(run.told).toEqual([1]);
});

test('nobody there is success after two looks', async () => {
  const run = end([[]]);
  expect(await run.ended).toEqual([]);
  expect(run.looks()).toBe(2);
});

test('one that ends slowly is told again and named once', async () => {
  const run = end([[session(1), session(2)], [session(2)], [session(2)], []]);
  expect(await run.ended).toMatchObject([{ count: 2, openSeconds: 62 }]);
  expect(run.told).toEqual([1, 2, 2, 2]);
});

test('one that had ended by itself is refused, and neither named nor a failure', async () => {
  const run = end([[session(1, 'gone'), session(2)], [session(2)], []], (id) =>
    id === 1 ? new TargetRefused('no such session') : undefined,
  );
  expect(await run.ended).toMatchObject([{ application: 'web', count: 1 }]);
});

test.each([new PermissionMissing('not allowed'), new TargetRefused('never')])(
  'a refusal about a session that is still there is the failure: $name',
  async (refusal) => {
    const run = end([[session(1), session(2)]], (id) => (id === 1 ? refusal : undefined));
    expect(await rejection(run.ended)).toBe(refusal);
    expect(run.told).toEqual([1, 2]);
  },
);

test('sessions that do not end are TargetUnreachable after 20 s, and another try goes on', async () => {
  const run = end([[session(1)]]);
  expect(await rejection(run.ended)).toMatchObject({
    name: 'TargetUnreachable',
    retryable: true,
    message: '1 sessions of user app are still open 20 s after they were told to end',
  });
  expect(run.now()).toBe(20_000);
});

test('an error of another kind ends it at once', async () => {
  const broken = new Error('connection lost');
  const run = end([[session(1), session(2)]], () => broken);
  expect(await rejection(run.ended)).toBe(broken);
  expect(run.told).toEqual([1]);
});
