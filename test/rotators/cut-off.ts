import type { RehearsalTarget } from '../../local/targets/target';
import { rotators, type RotatorName } from '../../rotators/registry';
import { contextFor, newVersion, rejection, withMembers } from './context';
import { cutLine, type Moment } from './cut-line';

/** A credential of a server whose admin works for it. */
type Target = RehearsalTarget & { readonly admin: string };

/** What the suite needs of a server. */
export interface CutOffServer {
  readonly port: number;
  provision(): Promise<Target>;
  /** What else must hold after `apply` was cut off: before it is repeated, and after it. */
  afterApply?(change: {
    readonly target: Target;
    readonly to: string;
    readonly works: (secret: string) => Promise<boolean>;
    readonly repeated: boolean;
  }): Promise<void>;
}

/** What a rotator of a server with users promises when its line goes down at any message of a verb. */
export function staysWholeWhenCutOff(name: RotatorName, serverOf: () => CutOffServer): void {
  describe(`${name}, cut off from the target at any message`, () => {
    const rotator = rotators[name];
    const hasOverlap = rotator.traits({}).overlap !== 'none';
    let target: Target;

    const create = () => rotator.create(target.secret, contextFor(target), newVersion());
    const works = (secret: string) =>
      rotator.verify(secret, contextFor(target)).then(
        () => true,
        () => false,
      );
    const apply = (through: (secret: string) => string, to: string) =>
      rotator.apply(
        { from: through(target.secret), to: through(to) },
        contextFor(target, { admin: through(target.admin) }),
        { replacedAt: new Date(0) },
      );

    /** Runs a verb through a line that is cut at the nth message, for every n that the verb gets to; returns how many. */
    async function atEveryMessage(
      moment: Moment,
      prepare: () => Promise<string>,
      verb: (through: (secret: string) => string, to: string) => Promise<unknown>,
      check: (to: string) => Promise<void>,
    ): Promise<number> {
      for (let nth = 1; ; nth++) {
        target = await serverOf().provision();
        const to = await prepare();
        const line = await cutLine(serverOf().port, nth, moment);
        try {
          const refusal = await verb((secret) => withMembers(secret, { port: line.port }), to).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (!line.wasCut()) {
            expect(refusal).toBeUndefined();
            return nth - 1;
          }
          // Cut after the last message of all, the goodbye, the verb has succeeded.
          if (refusal !== undefined)
            expect(refusal).toMatchObject({ name: 'TargetUnreachable', retryable: true });
        } finally {
          await line.close();
        }
        await check(to);
      }
    }

    test.each<Moment>(['before', 'after'])(
      'apply: cut %s the server gets it, a repeat reaches the same end',
      async (moment) => {
        const messages = await atEveryMessage(moment, create, apply, async (to) => {
          // At every instant there is a credential that works.
          expect((await works(target.secret)) || (await works(to))).toBe(true);
          if (hasOverlap) expect(await works(target.secret)).toBe(true);
          await serverOf().afterApply?.({ target, to, works, repeated: false });
          await rotator.apply({ from: target.secret, to }, contextFor(target), { replacedAt: new Date(0) });
          await rotator.verify(to, contextFor(target));
          await serverOf().afterApply?.({ target, to, works, repeated: true });
        });
        expect(messages).toBeGreaterThan(5);
      },
    );

    test.each<Moment>(['before', 'after'])(
      'apply: cut %s the server gets it, going back restores',
      async (moment) => {
        await atEveryMessage(moment, create, apply, async (to) => {
          if (!hasOverlap) await rotator.apply({ from: to, to: target.secret }, contextFor(target), {});
          await rotator.retire({ from: to, to: target.secret }, contextFor(target));
          await rotator.verify(target.secret, contextFor(target));
          expect((await rejection(rotator.verify(to, contextFor(target)))).name).toBe('CredentialRejected');
        });
      },
    );

    test.each<Moment>(['before', 'after'])(
      'retire: cut %s the server gets it, a repeat reaches the same end',
      async (moment) => {
        await atEveryMessage(
          moment,
          async () => {
            const to = await create();
            await rotator.apply({ from: target.secret, to }, contextFor(target), {});
            return to;
          },
          (through, to) =>
            rotator.retire(
              { from: through(target.secret), to: through(to) },
              contextFor(target, { admin: through(target.admin) }),
            ),
          async (to) => {
            expect(await works(to)).toBe(true);
            await rotator.retire({ from: target.secret, to }, contextFor(target));
            expect([await works(target.secret), await works(to)]).toEqual([false, true]);
          },
        );
      },
    );
  });
}
