import type { Adapter, Progress, RolledOut } from '../../adapters/adapter';
import type { AdapterName } from '../../adapters/definitions';
import { failureOf } from '../../adapters/failures';

/** What an adapter acts on in the tests: a real service or the embedded cloud's, with an application that uses it. */
export interface Counterpart {
  /** The adapter as one invocation opens it: each call another one, which knows nothing of those before. */
  open(): Adapter;
  /** How often the application was made to load so far: restarts, new environments, requests, commands. */
  acts(): number | Promise<number>;
  /** Lets a good while of the counterpart's time pass; a few of these end any roll-out. */
  pass(): Promise<void>;
  /** From now on the application does not come up, or says no. */
  breakDown(): void | Promise<void>;
  /** What must stand in no reason: values that the application holds. */
  readonly secrets: readonly string[];
  /** The next call of an adapter that changes something works, and its answer is lost. */
  loseAnswer(): void;
  stop(): Promise<void>;
}

/** Starts one counterpart, with an application that runs on an older version. */
export type OpenCounterpart = () => Promise<Counterpart>;

/** More of these than any roll-out takes. */
const mostPasses = 50;

/** A roll-out's version, as the handler would name it. */
export function rolledOut(versionId: string, rotationId = 'rotation-1'): RolledOut {
  return {
    consumer: 'orders',
    secret: { arn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:shop/db-AbCdEf', name: 'shop/db' },
    versionId,
    rotationId,
  };
}

const first = rolledOut('11111111-1111-4111-8111-111111111111');
const second = rolledOut('22222222-2222-4222-8222-222222222222', 'rotation-2');

/**
 * What every adapter keeps, shown on its counterpart.
 *
 * `actsAfterLostAnswer` is 1, but where a service lets nobody find out what became of a call; then docs/adapters.md says so.
 */
export function adapterContract(
  name: AdapterName,
  openCounterpart: OpenCounterpart,
  { actsAfterLostAnswer = 1 }: { readonly actsAfterLostAnswer?: number } = {},
): void {
  describe(`adapter ${name}`, () => {
    let counterpart: Counterpart;
    beforeEach(async () => {
      counterpart = await openCounterpart();
    });
    afterEach(() => counterpart.stop());
    const signal = () => new AbortController().signal;
    const begin = (version: RolledOut) => counterpart.open().begin(version, signal());
    const look = (version: RolledOut) => counterpart.open().look(version, signal());

    /** Looks until the roll-out has ended, each time as another invocation. */
    async function end(version: RolledOut): Promise<Progress> {
      for (let passes = 0; passes < mostPasses; passes++) {
        const progress = await look(version);
        if (progress.state !== 'working') return progress;
        await counterpart.pass();
      }
      throw new Error('the roll-out has no end');
    }

    test('acts once, and is done only when every instance has loaded', async () => {
      const before = await counterpart.acts();
      await begin(first);
      expect(await look(first)).toEqual({ state: 'working' });
      expect(await end(first)).toEqual({ state: 'done' });
      expect(await counterpart.acts()).toBe(before + 1);
    });

    test('acts once although it is begun again while it is under way, by a repeat or a reminder', async () => {
      const before = await counterpart.acts();
      await begin(first);
      await begin(first);
      await counterpart.pass();
      await begin(first);
      expect(await end(first)).toEqual({ state: 'done' });
      expect(await counterpart.acts()).toBe(before + 1);
    });

    test('acts no more for a reminder that comes after the end', async () => {
      await begin(first);
      await end(first);
      const before = await counterpart.acts();
      await begin(first);
      expect(await look(first)).toEqual({ state: 'done' });
      expect(await counterpart.acts()).toBe(before);
    });

    test('acts again for the next version, and for the way back to the one before', async () => {
      const before = await counterpart.acts();
      for (const version of [first, second, { ...first, rotationId: second.rotationId }]) {
        await begin(version);
        expect(await end(version)).toEqual({ state: 'done' });
      }
      expect(await counterpart.acts()).toBe(before + 3);
    });

    test('goes on although the answer to its call is lost', async () => {
      const before = await counterpart.acts();
      counterpart.loseAnswer();
      await expect(begin(first)).rejects.toThrow();
      await begin(first);
      expect(await end(first)).toEqual({ state: 'done' });
      expect(await counterpart.acts()).toBe(before + actsAfterLostAnswer);
    });

    test('refuses with a reason that holds no secret where the application does not come up', async () => {
      await counterpart.breakDown();
      const reason = await begin(first).then(
        async () => {
          const progress = await end(first);
          return progress.state === 'refused' ? progress.reason : progress.state;
        },
        (error: unknown) => {
          const { name: errorName, what, permanent } = failureOf(error);
          return permanent ? `${errorName}: ${what}` : `transient ${errorName}`;
        },
      );
      expect(reason).toMatch(/^[A-Z][A-Za-z0-9]+: \S/);
      expect(reason.length).toBeLessThanOrEqual(256);
      for (const secret of counterpart.secrets) expect(reason).not.toContain(secret);
    });

    test('gives up with its signal', async () => {
      const given = AbortSignal.abort(new Error('the time is up'));
      await expect(counterpart.open().begin(first, given)).rejects.toThrow();
    });
  });
}
