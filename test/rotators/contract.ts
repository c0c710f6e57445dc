import { inspect } from 'node:util';
import type { RehearsalTarget, TargetKind, TargetServer } from '../../local/targets/target';
import { rotatorFor, type RotatorName } from '../../rotators/registry';
import type { SealedRotator } from '../../rotators/rotator';
import { contextFor, membersOf, rejection, withMembers } from './context';

/** What every rotator promises, tried against a real target: one server for the suite, one credential for each case. */
export function rotatorContract(name: RotatorName, rotator: SealedRotator, kind: TargetKind): void {
  const { overlap, mint, usage, admin } = rotator.traits;
  const hasOverlap = overlap !== 'none';
  const twoPrincipals = overlap === 'two-principals';

  describe(`${name} keeps the contract of rotators`, () => {
    let server: TargetServer;
    let target: RehearsalTarget;
    /** Every secret value that the suite has used, to be looked for in the target's log. */
    const used = new Set<string>();

    beforeAll(async () => {
      server = await kind.start();
    });
    afterAll(() => server.stop());
    beforeEach(async () => {
      target = await server.provision(admin === 'required' ? { adminArn: 'arn:of:admin' } : {});
      note(target.secret);
      note(target.admin);
    });

    const note = (secret: string) => {
      for (const value of target.sensitive(secret)) used.add(value);
      return secret;
    };
    const context = (changes: Parameters<typeof contextFor>[1] = {}) => contextFor(target, changes);
    const create = async (from: string) => note(await rotator.create(from, context()));
    const apply = (from: string, to: string) => rotator.apply({ from, to }, context(), {});
    const retire = (from: string, to: string) => rotator.retire({ from, to }, context());
    const accepts = (secret: string) => rotator.verify(secret, context());
    const refuses = async (secret: string) =>
      expect((await rejection(rotator.verify(secret, context()))).name).toBe('CredentialRejected');
    const since = () => new Date(Date.now() - 3_600_000);

    test('the secret as AWS documents it finds this rotator without a policy', () => {
      expect(rotatorFor(target.secret).name).toBe(name);
    });

    test('the principal is public: no sensitive value stands in it', () => {
      const principal = rotator.principal(target.secret);
      expect(principal).not.toBe('');
      for (const value of target.sensitive(target.secret)) expect(principal.includes(value)).toBe(false);
    });

    test('verify accepts the credential in use and rejects a wrong one', async () => {
      await accepts(target.secret);
      await refuses(note(target.wrong(target.secret)));
    });

    test('create keeps every member that the schema does not know', async () => {
      const from = withMembers(target.secret, { dbInstanceIdentifier: 'shop-1', tags: { team: ['web'] } });
      const { dbInstanceIdentifier, tags } = membersOf(await create(from));
      expect({ dbInstanceIdentifier, tags }).toEqual({
        dbInstanceIdentifier: 'shop-1',
        tags: { team: ['web'] },
      });
    });

    test('create changes nothing at a target that does not mint', async () => {
      const to = await create(target.secret);
      expect(to).not.toBe(target.secret);
      if (mint === 'rotator') await refuses(to);
      await accepts(target.secret);
    });

    test('a value created and abandoned leaves nothing behind', async () => {
      await create(target.secret);
      const to = await create(target.secret);
      await apply(target.secret, to);
      await retire(target.secret, to);
      expect(await target.live()).toBe(1);
    });

    test('apply may be repeated, and the old credential works on where the target can', async () => {
      const to = await create(target.secret);
      await apply(target.secret, to);
      await apply(target.secret, to);
      await accepts(to);
      if (hasOverlap) await accepts(target.secret);
      else await refuses(target.secret);
    });

    test('apply says since when there is a gap, and only where there is one', async () => {
      const before = Date.now();
      const { gapBegan } = await apply(target.secret, await create(target.secret));
      if (hasOverlap) expect(gapBegan).toBeUndefined();
      else expect(Date.parse(gapBegan ?? '')).toBeGreaterThanOrEqual(before);
    });

    test('three rotations in a row, with retirements repeated, end with one live credential', async () => {
      let current = target.secret;
      for (let round = 1; round <= 3; round++) {
        const to = await create(current);
        await apply(current, to);
        await accepts(to);
        await retire(current, to);
        await retire(current, to);
        await refuses(current);
        await accepts(to);
        current = to;
      }
      expect(await target.live()).toBe(1);
    });

    test('an application works on through three rotations, in its old session and in new ones', async () => {
      let current = target.secret;
      for (let round = 1; round <= 3; round++) {
        const before = await target.login(current, 'web');
        const to = await create(current);
        await apply(current, to);
        const after = await target.login(to, 'web');
        await retire(current, to);
        await before.work();
        await after.work();
        await before.close();
        await after.close();
        current = to;
      }
    });

    test('a rotation causes no refused login', async () => {
      const before = (await server.logins()).refused.length;
      const to = await create(target.secret);
      await apply(target.secret, to);
      await accepts(to);
      await retire(target.secret, to);
      expect((await server.logins()).refused.length).toBe(before);
    });

    test('each verb takes one connection at most', async () => {
      const connections = async () =>
        (await server.logins()).accepted.filter(({ application }) => application === 'rotor').length;
      const to = await create(target.secret);
      const counts: number[] = [];
      for (const verb of [
        () => apply(target.secret, to),
        () => accepts(to),
        ...(usage ? [() => rotator.usage(to, { since: since(), watchMs: 0 }, context())] : []),
        () => retire(target.secret, to),
      ]) {
        const before = await connections();
        await verb();
        counts.push((await connections()) - before);
      }
      expect(Math.max(...counts)).toBe(1);
      expect(counts.reduce((sum, count) => sum + count)).toBe(twoPrincipals ? 4 : 2);
    });

    test('retiring a credential in favour of itself stops nothing', async () => {
      const attempt = retire(target.secret, target.secret);
      if (twoPrincipals) expect((await rejection(attempt)).name).toBe('SamePrincipal');
      else await attempt;
      await accepts(target.secret);
    });

    test('going back is safe when apply never ran', async () => {
      const to = await create(target.secret);
      await retire(to, target.secret);
      await accepts(target.secret);
    });

    test('going back before the labels move leaves the old credential alone working', async () => {
      const to = await create(target.secret);
      await apply(target.secret, to);
      if (!hasOverlap) await apply(to, target.secret);
      await retire(to, target.secret);
      await retire(to, target.secret);
      await accepts(target.secret);
      await refuses(to);
    });

    test('going back after the retirement makes the old credential work before the new one stops', async () => {
      const to = await create(target.secret);
      await apply(target.secret, to);
      await retire(target.secret, to);
      await apply(to, target.secret);
      await apply(to, target.secret);
      await accepts(target.secret);
      if (hasOverlap) await accepts(to);
      await retire(to, target.secret);
      await accepts(target.secret);
      await refuses(to);
      expect(await target.live()).toBe(1);
    });

    test('a rotation succeeds after one that went back', async () => {
      const abandoned = await create(target.secret);
      await apply(target.secret, abandoned);
      await apply(abandoned, target.secret);
      await retire(abandoned, target.secret);
      const to = await create(target.secret);
      await apply(target.secret, to);
      await retire(target.secret, to);
      await accepts(to);
      await refuses(abandoned);
    });

    test('usage tells logins since a moment from sessions that were open before', async () => {
      if (!usage) {
        const refusal = await rejection(
          rotator.usage(target.secret, { since: since(), watchMs: 0 }, context()),
        );
        expect(refusal.name).toBe('InvocationMalformed');
        return;
      }
      const ask = (after: Date) => rotator.usage(target.secret, { since: after, watchMs: 0 }, context());
      expect(await ask(since())).toEqual({ begun: [], open: [], looks: 2 });
      const session = await target.login(target.secret, 'web');
      const [begun] = (await ask(since())).begun;
      expect(begun).toMatchObject({ application: 'web', count: 1 });
      const newest = new Date(begun?.newestBegan ?? '');
      expect(await ask(new Date(newest.getTime() + 1))).toMatchObject({
        begun: [],
        open: [{ application: 'web' }],
      });
      await session.close();
    });

    test('a principal that somebody took into use again is not reset', async () => {
      if (!twoPrincipals) return;
      const to = await create(target.secret);
      await apply(target.secret, to);
      const replacedAt = since();
      const session = await target.login(to, 'straggler');
      const again = await create(target.secret);
      const refusal = await rejection(
        rotator.apply({ from: target.secret, to: again }, context(), { replacedAt }),
      );
      expect(refusal.name).toBe('PrincipalInUse');
      await accepts(to);
      await refuses(again);
      // Once it is retired, what is still open is a remnant.
      await retire(to, target.secret);
      await rotator.apply({ from: target.secret, to: again }, context(), { replacedAt });
      await accepts(again);
      await session.work();
      await session.close();
    });

    test('a missing admin is missed where one is required, and not where none is', async () => {
      const to = await create(target.secret);
      const attempt = rotator.apply({ from: target.secret, to }, context({ admin: undefined }), {});
      if (admin === 'required') {
        expect((await rejection(attempt)).name).toBe('AdminMissing');
        await accepts(target.secret);
      } else {
        await attempt;
        await accepts(to);
      }
    });

    test('an admin that the rotation itself would change is refused', async () => {
      const to = await create(target.secret);
      for (const self of [target.secret, ...(twoPrincipals ? [to] : [])]) {
        const attempt = rotator.apply({ from: target.secret, to }, context({ admin: self }), {});
        expect((await rejection(attempt)).name).toBe('AdminIsTheSecret');
      }
      await accepts(target.secret);
    });

    test('an admin that is refused is read once more, and used if it has changed', async () => {
      const to = await create(target.secret);
      let reads = 0;
      const outdated = context({
        admin: note(target.wrong(target.admin)),
        readAdminAgain: () => {
          reads += 1;
          return Promise.resolve(target.admin);
        },
      });
      await rotator.apply({ from: target.secret, to }, outdated, {});
      expect(reads).toBe(1);
      await accepts(to);
    });

    test('an admin that stays refused is AdminRejected after one try for each password', async () => {
      const to = await create(target.secret);
      const wrong = note(target.wrong(target.admin));
      for (const [again, tries] of [
        [wrong, 1],
        [note(target.wrong(target.admin)), 2],
      ] as const) {
        const before = (await server.logins()).refused.length;
        const outdated = context({ admin: wrong, readAdminAgain: () => Promise.resolve(again) });
        const refusal = await rejection(rotator.apply({ from: target.secret, to }, outdated, {}));
        expect(refusal.name).toBe('AdminRejected');
        expect((await server.logins()).refused.length - before).toBe(tries);
      }
      await accepts(target.secret);
      await refuses(to);
    });

    test('an unreachable target is named and worth another try', async () => {
      const away = target.unreachable(target.secret);
      const to = await create(away);
      const admin = target.unreachable(target.admin);
      for (const attempt of [
        () => rotator.verify(away, context()),
        () => rotator.apply({ from: away, to }, context({ admin }), {}),
      ])
        expect(await rejection(attempt())).toMatchObject({ name: 'TargetUnreachable', retryable: true });
    });

    test('a verb gives up when it is told to', async () => {
      const now = context({ signal: AbortSignal.abort() });
      const to = await create(target.secret);
      for (const attempt of [
        () => rotator.verify(target.secret, now),
        () => rotator.apply({ from: target.secret, to }, now, {}),
        () => rotator.retire({ from: target.secret, to }, now),
      ])
        expect((await rejection(attempt())).name).toBe('TargetUnreachable');
      await accepts(target.secret);
    });

    test('a malformed secret is named by its members and never quoted', async () => {
      const [sensitive = ''] = target.sensitive(target.secret);
      for (const text of [
        `not JSON: ${sensitive}`,
        JSON.stringify([sensitive]),
        JSON.stringify(sensitive),
        'null',
        ...['host', 'username', 'password'].flatMap((member) => [
          withMembers(target.secret, { [member]: undefined }),
          withMembers(target.secret, { [member]: { value: sensitive } }),
          withMembers(target.secret, { [member]: '' }),
        ]),
        withMembers(target.secret, { port: sensitive }),
        withMembers(target.secret, { ssl: sensitive }),
      ]) {
        const refusal = await rejection(rotator.verify(text, context()));
        expect(refusal.name).toBe('SecretMalformed');
        expect(inspect(refusal).includes(sensitive)).toBe(false);
      }
    });

    test('no error carries a secret value', async () => {
      const wrong = note(target.wrong(target.secret));
      const wrongAdmin = note(target.wrong(target.admin));
      const to = await create(target.secret);
      for (const attempt of [
        () => rotator.verify(wrong, context()),
        () => rotator.verify(target.unreachable(target.secret), context()),
        () => rotator.apply({ from: target.secret, to }, context({ admin: wrongAdmin }), {}),
        () => rotator.apply({ from: wrong, to: note(target.wrong(to)) }, context({ admin: wrongAdmin }), {}),
      ]) {
        const text = inspect(await rejection(attempt()), { depth: null, showHidden: true });
        expect([...used].some((value) => text.includes(value))).toBe(false);
      }
    });

    test('after all of this the log of the target holds none of the secret values', async () => {
      const log = await server.logText();
      expect(used.size).toBeGreaterThan(20);
      expect([...used].filter((value) => log.includes(value)).length).toBe(0);
    });
  });
}
