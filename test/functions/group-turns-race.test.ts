import type { DescribedExecution } from '../../aws/executions';
import type { TurnStore } from '../../aws/group-turns';
import { groupTurns } from '../../domain/names';
import { parseHolder, writeHolder, type Turn } from '../../domain/turns';
import { GroupTurns } from '../../functions/group-turns';
import { createAuthorize } from '../../local/iam/authorize';
import { RoleStore } from '../../local/iam/role-store';
import { sleep, VirtualClock } from '../../local/kernel/clock';
import { ServiceError, type Call } from '../../local/kernel/service';
import { createParameterStore } from '../../local/ssm/service';
import { collectLog } from './log-lines';

const log = collectLog();
afterAll(() => log.restore());

const minute = 60_000;
const distanceSeconds = 90;
const group = { name: 'databases', minimumDistanceSeconds: distanceSeconds };
/** Lambda ends a function by then, whatever it was doing. */
const longestLifeMs = 15 * minute;
/** How long AWS takes a signed request after it was signed. */
const signatureMs = 5 * minute;

/** Random numbers from a seed, the same in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The answer to a call went astray: it may have had its effect. */
class Lost extends Error {}

interface Execution {
  readonly name: string;
  readonly urgent: boolean;
  readonly startedAt: number;
  readonly endsAt: number;
}

/**
 * Members of one group, each a function that is invoked again and again, around the embedded Parameter Store, in a time
 * of its own: calls take milliseconds or minutes, functions die at any of them, answers go astray, reads are out of date.
 */
class Crowd {
  readonly violations: string[] = [];
  readonly executions = new Map<string, Execution>();
  private readonly clock = new VirtualClock();
  private readonly turnOf = new Map<string, number>();
  private readonly store: TurnStore;
  /** What a list has answered at which time, for answers that are out of date. */
  private readonly past: { readonly at: number; readonly turns: readonly Turn[] }[] = [];

  constructor(
    private readonly random: () => number,
    private readonly urgentShare: number,
  ) {
    this.store = embeddedStore(this.clock);
  }

  /** Lets every member rotate until the group has seen so many executions. */
  async run(members: number, executions: number): Promise<void> {
    for (let member = 0; member < members; member++) void this.live(`member-${member}`);
    while (this.executions.size < executions && this.clock.advance())
      // Everything that this moment has set going comes to its next call of the clock.
      await new Promise(setImmediate);
  }

  private async live(member: string): Promise<void> {
    for (let rotation = 1; ; rotation++) {
      const urgent = this.random() < this.urgentShare;
      const execution = `${member}-${rotation}`;
      for (;;) {
        await this.wait(this.random() * 10 * minute);
        const born = this.clock.now();
        const ended = await Promise.race([
          this.invoke(member, execution, urgent, born).catch(() => 'failed' as const),
          this.wait(longestLifeMs).then(() => 'failed' as const),
        ]);
        if (ended === 'started') break;
      }
      const { endsAt } = this.executions.get(execution) ?? { endsAt: 0 };
      await this.wait(Math.max(0, endsAt - this.clock.now()) + this.random() * 5 * minute);
    }
  }

  /** One invocation of the rotation function. */
  private async invoke(
    member: string,
    execution: string,
    urgent: boolean,
    born: number,
  ): Promise<'started' | 'failed'> {
    const call = <Answer>(act: () => Answer | Promise<Answer>) => this.call(born, act);
    const describe = (name: string) => call(() => this.describe(name));
    if ((await describe(execution)) !== undefined) return 'started';
    const turns = new GroupTurns({
      turns: {
        list: (name) => call(() => this.list(name)),
        read: (name, number) =>
          call(async () => (this.random() < 0.1 ? undefined : this.store.read(name, number))),
        take: (name, number, holder) =>
          call(async () => {
            await this.store.take(name, number, holder);
            const taken = await this.store.read(name, number);
            if (taken?.holder?.execution === execution) this.turnOf.set(execution, number);
          }),
        remove: (name, number) => call(() => this.store.remove(name, number)),
      },
      executions: { describe },
      now: () => this.clock.now(),
      sleep: (ms) => this.wait(ms),
    });
    const beginning = { execution, secretArn: member, token: execution };
    const until = await turns.take(group, beginning, urgent);
    await call(() => undefined);
    if (this.clock.now() >= until) return 'failed';
    await this.start(execution, urgent);
    return 'started';
  }

  /** StartExecution: signed now, and taken by AWS at any time until the signature is too old. */
  private async start(name: string, urgent: boolean): Promise<void> {
    const delay = this.random() < 0.1 ? this.random() * signatureMs : this.random() * 200;
    const delivered = this.wait(delay).then(() => this.begin(name, urgent));
    if (this.random() < 0.1) throw new Lost();
    await delivered;
  }

  private begin(name: string, urgent: boolean): void {
    if (this.executions.has(name)) return;
    const now = this.clock.now();
    if (!urgent) this.judge(name, now);
    const lasts = this.random() < 0.3 ? this.random() * 20_000 : this.random() * 30 * minute;
    this.executions.set(name, { name, urgent, startedAt: now, endsAt: now + lasts });
  }

  /** A rotation that is not urgent begins alone, and not too soon. */
  private judge(name: string, now: number): void {
    const own = this.turnOf.get(name) ?? 0;
    for (const other of this.executions.values()) {
      // An urgent one waits for nobody, also not for one that has its turn and is about to begin.
      if (other.urgent && (this.turnOf.get(other.name) ?? Infinity) > own) continue;
      if (other.endsAt > now) this.violations.push(`${name} begins while ${other.name} runs`);
      else if (now < other.endsAt + distanceSeconds * 1000)
        this.violations.push(`${name} begins too soon after ${other.name}`);
    }
  }

  /** DescribeExecution: what happened in the last minute may be missing. */
  private describe(name: string): DescribedExecution | undefined {
    const seenAt = this.clock.now() - (this.random() < 0.3 ? this.random() * minute : 0);
    const execution = this.executions.get(name);
    if (execution === undefined || execution.startedAt > seenAt) return undefined;
    return execution.endsAt > seenAt
      ? { status: 'RUNNING', cause: undefined }
      : { status: 'SUCCEEDED', cause: undefined, stoppedAt: execution.endsAt };
  }

  /** A list: now and then one from up to half an hour ago. */
  private async list(name: string): Promise<readonly Turn[]> {
    const now = this.clock.now();
    if (this.random() < 0.2) {
      const seenAt = now - this.random() * 30 * minute;
      return this.past.findLast(({ at }) => at <= seenAt)?.turns ?? [];
    }
    const turns = await this.store.list(name);
    this.past.push({ at: now, turns });
    return turns;
  }

  /** Any call of a function that was born at `born`: it takes its time, and may be the last one. */
  private async call<Answer>(born: number, act: () => Answer | Promise<Answer>): Promise<Answer> {
    await this.wait(this.random() < 0.05 ? this.random() * 14 * minute : this.random() * 200);
    if (this.clock.now() - born > longestLifeMs || this.random() < 0.02) return neverMore();
    const answer = await act();
    if (this.random() < 0.02) return neverMore();
    if (this.random() < 0.02) throw new Lost();
    return answer;
  }

  private wait(ms: number): Promise<void> {
    return sleep(this.clock, ms);
  }
}

/** What a dead function waits for. */
function neverMore(): Promise<never> {
  return new Promise(() => undefined);
}

/** Turns in the embedded Parameter Store, called as its operations are. */
function embeddedStore(clock: VirtualClock): TurnStore {
  const where = { account: '111122223333', region: 'us-east-1', partition: 'aws', clock };
  const roles = new RoleStore(where);
  const service = createParameterStore({
    ...where,
    authorize: createAuthorize({ ...where, roles }),
    callService: () => Promise.reject(new Error('this world has one service')),
  });
  const call: Call = { principal: roles.operator.principal, requestId: 'r', userAgent: 'u', conditions: {} };
  const run = async <Answer extends object>(operation: string, input: object): Promise<Answer> =>
    (await service.operations[operation]?.({ ...input }, call)) as Answer;
  const unless = async (code: string, work: Promise<unknown>) => {
    await work.catch((error: unknown) => {
      if (!(error instanceof ServiceError) || error.code !== code) throw error;
    });
  };
  const nameOf = (name: string, number: number) => `${groupTurns(name)}/${number}`;
  const turnOf = ({ Name, Value, LastModifiedDate }: Stored): Turn => ({
    number: Number(Name.split('/').at(-1)),
    takenAt: LastModifiedDate.getTime(),
    holder: parseHolder(Value),
  });
  return {
    async list(name) {
      const turns: Turn[] = [];
      let NextToken: string | undefined;
      do {
        const page: { Parameters: Stored[]; NextToken?: string } = await run('GetParametersByPath', {
          Path: groupTurns(name),
          ...(NextToken === undefined ? {} : { NextToken }),
        });
        turns.push(...page.Parameters.map(turnOf));
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      return turns;
    },
    async read(name, number) {
      try {
        const { Parameter } = await run<{ Parameter: Stored }>('GetParameter', {
          Name: nameOf(name, number),
        });
        return turnOf(Parameter);
      } catch {
        return undefined;
      }
    },
    take: (name, number, holder) =>
      unless(
        'ParameterAlreadyExists',
        run('PutParameter', {
          Name: nameOf(name, number),
          Value: writeHolder(holder),
          Type: 'String',
          Overwrite: false,
        }),
      ),
    remove: (name, number) =>
      unless('ParameterNotFound', run('DeleteParameter', { Name: nameOf(name, number) })),
  };
}

interface Stored {
  readonly Name: string;
  readonly Value: string;
  readonly LastModifiedDate: Date;
}

const seeds = Array.from({ length: 3 }, (_, index) => index + 1);

test.each(seeds)(
  'members never rotate at the same time nor too soon, whatever dies, is late or is lost (seed %i)',
  async (seed) => {
    const crowd = new Crowd(randomFrom(seed), 0);
    await crowd.run(8, 60);
    expect(crowd.violations).toEqual([]);
    expect(crowd.executions.size).toBe(60);
  },
);

test.each(seeds)(
  'whoever comes after urgent rotations waits for them and for those beside which they began (seed %i)',
  async (seed) => {
    const crowd = new Crowd(randomFrom(1000 + seed), 0.2);
    await crowd.run(8, 60);
    expect(crowd.violations).toEqual([]);
    expect([...crowd.executions.values()].filter(({ urgent }) => urgent).length).toBeGreaterThan(3);
  },
);
