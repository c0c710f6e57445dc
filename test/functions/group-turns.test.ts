import { keptForMs, lapsesAfterMs, startWithinMs, writeHolder } from '../../domain/turns';
import { GroupTurns } from '../../functions/group-turns';
import { collectLog, parsed } from './log-lines';
import { TurnTable } from './turn-table';

const group = { name: 'databases', minimumDistanceSeconds: 300 };
const own = { execution: 'app-1', secretArn: 'arn:app', token: 'token-app' };
const other = { execution: 'billing-1', secretArn: 'arn:billing', token: 'token-billing' };
const busy = (what: RegExp) => ({
  name: 'GroupBusy',
  message: expect.stringMatching(what) as string,
});

let time: number;
let table: TurnTable;
let executions: Map<string, { readonly status: string; readonly stoppedAt?: number }>;
let turns: GroupTurns;
const log = collectLog();

beforeEach(() => {
  time = Date.UTC(2026, 0, 1);
  table = new TurnTable(() => time);
  executions = new Map();
  log.lines.length = 0;
  turns = new GroupTurns({
    turns: table,
    executions: {
      describe: async (name) => {
        const there = executions.get(name);
        return there === undefined ? undefined : { cause: undefined, ...there };
      },
    },
    now: () => time,
    sleep: async (ms) => {
      time += ms;
    },
  });
});
afterAll(() => log.restore());

const take = (beginning = own, urgent = false) => turns.take(group, beginning, urgent);
const ended = (stoppedAt: number) => ({ status: 'SUCCEEDED', stoppedAt });

test('the first member of a group takes turn 1 and has a minute to begin', async () => {
  await expect(take()).resolves.toBe(time + startWithinMs);
  expect(table.turn(group.name, 1)?.holder).toEqual({ ...own, beside: [] });
});

test('the same execution asks again and has the same turn, in the same minute', async () => {
  const until = await take();
  time += 30_000;
  await expect(take()).resolves.toBe(until);
  expect(table.numbers(group.name)).toEqual([1]);
});

test('while the execution of the newest turn runs, the group is busy and says with what', async () => {
  await take(other);
  executions.set(other.execution, { status: 'RUNNING' });
  time += 10 * lapsesAfterMs;
  await expect(take()).rejects.toMatchObject(busy(/databases: execution billing-1 has the turn/));
});

test('a status that is not known yet counts as running', async () => {
  await take(other);
  executions.set(other.execution, { status: 'PENDING_REDRIVE' });
  time += 10 * lapsesAfterMs;
  await expect(take()).rejects.toMatchObject(busy(/billing-1/));
});

test.each(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'])(
  'after an execution that ended as %s the distance is kept, and then the next turn is free',
  async (status) => {
    await take(other);
    executions.set(other.execution, { status, stoppedAt: time });
    const from = time + 300_000;
    time = from - 1;
    await expect(take()).rejects.toMatchObject(busy(/may begin at 2026-01-01T00:05:00\.000Z/));
    time = from;
    await expect(take()).resolves.toBe(from + startWithinMs);
    expect(table.numbers(group.name)).toEqual([1, 2]);
  },
);

test('another attempt of the same rotation keeps no distance', async () => {
  await take();
  executions.set(own.execution, { status: 'ABORTED', stoppedAt: time });
  await take({ ...own, execution: 'app-2' });
  expect(table.turn(group.name, 2)?.holder?.execution).toBe('app-2');
});

test('the next rotation of the same secret does keep it', async () => {
  await take();
  executions.set(own.execution, ended(time));
  await expect(take({ ...own, execution: 'app-next', token: 'next' })).rejects.toMatchObject(
    busy(/may begin/),
  );
});

test('a turn under which nothing was started stands in the way for ten minutes, and no longer', async () => {
  await take(other);
  time += lapsesAfterMs - 1;
  await expect(take()).rejects.toMatchObject(busy(/billing-1/));
  time += 1;
  await take();
  expect(table.numbers(group.name)).toEqual([1, 2]);
});

test('its holder comes back after its minute, and takes another turn before anybody else may', async () => {
  await take();
  time += startWithinMs;
  await expect(take()).resolves.toBe(time + startWithinMs);
  expect(table.numbers(group.name)).toEqual([1, 2]);
  await expect(take(other)).rejects.toMatchObject(busy(/app-1/));
});

test('whoever is slower finds that the number is taken, and waits', async () => {
  table.beforeTake = (name, number) => {
    table.put(name, number, writeHolder({ ...other, beside: [] }));
  };
  await expect(take()).rejects.toMatchObject(busy(/billing-1/));
});

test('a turn that is not seen at once is looked for again', async () => {
  table.unseen = 2;
  const takenAt = time;
  await expect(take()).resolves.toBe(takenAt + startWithinMs);
});

test('a turn that is not seen at all is left to the next try', async () => {
  table.unseen = 1000;
  await take().catch(() => undefined);
  table.unseen = 0;
  await take();
  expect(table.numbers(group.name)).toHaveLength(1);
});

test('a turn that somebody wrote by hand stands in the way for ten minutes', async () => {
  table.put(group.name, 7, 'keep out');
  await expect(take()).rejects.toMatchObject(busy(/turn 7 was taken by hand/));
  time += lapsesAfterMs;
  await take();
  expect(table.turn(group.name, 8)?.holder?.execution).toBe('app-1');
});

test('turns of other groups are nobody’s business', async () => {
  await turns.take({ ...group, name: 'caches' }, other, false);
  await take();
  expect(table.numbers(group.name)).toEqual([1]);
});

describe('an urgent rotation', () => {
  test('waits for nobody, and names beside whom it began', async () => {
    await take(other);
    executions.set(other.execution, { status: 'RUNNING' });
    await take(own, true);
    expect(table.turn(group.name, 2)?.holder).toEqual({ ...own, beside: [other.execution] });
  });

  test('is waited for, together with those', async () => {
    await take(other);
    executions.set(other.execution, { status: 'RUNNING' });
    await take(own, true);
    executions.set(own.execution, ended(time));
    const third = { execution: 'reports-1', secretArn: 'arn:reports', token: 'token-reports' };
    time += 3_600_000;
    await expect(take(third)).rejects.toMatchObject(busy(/billing-1/));
    executions.set(other.execution, ended(time));
    await expect(take(third)).rejects.toMatchObject(busy(/may begin/));
    time += 300_000;
    await expect(take(third)).resolves.toBe(time + startWithinMs);
  });
});

test('old turns are removed, but never the newest and never one of the last hour', async () => {
  for (let number = 1; number <= 3; number++) table.put(group.name, number, '{}', time - keptForMs - 1);
  table.put(group.name, 4, '{}', time - keptForMs);
  table.put(group.name, 5, '{}', time - lapsesAfterMs);
  await take();
  expect(table.numbers(group.name)).toEqual([4, 5, 6]);
});

test('the newest turn stays, however old it is', async () => {
  table.put(group.name, 9, '{}', time - 90 * keptForMs);
  await take();
  expect(table.numbers(group.name)).toEqual([9, 10]);
});

test('a turn that cannot be removed is no reason not to begin', async () => {
  table.put(group.name, 1, '{}', time - 2 * keptForMs);
  table.put(group.name, 2, '{}', time - 2 * keptForMs);
  table.remove = () => Promise.reject(new Error('throttled'));
  await expect(take()).resolves.toBe(time + startWithinMs);
  expect(parsed(log.lines)).toEqual([expect.objectContaining({ message: 'an old turn was not removed' })]);
});
