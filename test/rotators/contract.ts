import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { RehearsalTarget, TargetKind, TargetServer } from '../../local/targets/target';
import { PolicyInvalid, RotatorUnknown } from '../../domain/errors';
import { rotatorFor, type RotatorName } from '../../rotators/registry';
import type { SealedRotator } from '../../rotators/rotator';
import { contextFor, membersOf, rejection, withMembers, withPatience } from './context';

/** What every rotator promises, tried against a real target: one server for the suite, one credential for each case. */
export function rotatorContract(name: RotatorName, rotator: SealedRotator, kind: TargetKind): void {
  const { overlap, mint, usage, endsSessions, admin, retirement, network } = rotator.traits(
    rotator.example.settings,
  );
  const { claimed, sessionsOutlive, connectionsPerVerb, adminIsPrincipal, required } = kind.facts;
  const hasOverlap = overlap !== 'none';
  const twoPrincipals = overlap === 'two-principals';
  const hasTarget = network !== 'none';
  const isStoppedAtOnce = hasTarget && retirement === 'reversible';
  const hasAdmin = admin !== 'none';
  /** Cases for some rotators only are left out by their traits, and not skipped. */
  const testIf = (condition: boolean) => (title: string, run: () => Promise<void>) => {
    if (condition) test(title, run);
  };

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
      target = await server.provision(
        rotator.example.adminMember === undefined ? {} : { adminArn: 'arn:of:admin' },
      );
      note(target.secret);
      if (target.admin !== undefined) note(target.admin);
    });

    const note = (secret: string) => {
      for (const value of target.sensitive(secret)) used.add(value);
      return secret;
    };
    const context = (changes: Parameters<typeof contextFor>[1] = {}) => contextFor(target, changes);
    const createAs = async (versionId: string, from: string, others: readonly string[] = []) =>
      note(await rotator.create(from, context(), { versionId, owner: 'suite', others }));
    const create = (from: string, others?: readonly string[]) => createAs(crypto.randomUUID(), from, others);
    const apply = (from: string, to: string) =>
      withPatience(() => rotator.apply({ from, to }, context(), {}));
    const retire = (from: string, to: string) => withPatience(() => rotator.retire({ from, to }, context()));
    const accepts = (secret: string) => withPatience(() => rotator.verify(secret, context()));
    const refuses = async (secret: string) => {
      if (!hasTarget) return;
      expect((await rejection(accepts(secret))).name).toBe('CredentialRejected');
    };
    /** What was retired: stopped, or left to the next rotation. */
    const isRetired = (secret: string) => (isStoppedAtOnce ? refuses(secret) : accepts(secret));
    const since = () => new Date(Date.now() - 3_600_000);

    test('a secret without a policy finds this rotator if its shape says so, and no other one', () => {
      if (claimed) expect(rotatorFor(target.secret).name).toBe(name);
      else expect(() => rotatorFor(target.secret)).toThrow(RotatorUnknown);
    });

    test('the example that the stack is made from has the settings that the rotator asks for', () => {
      expect(() => rotator.traits(rotator.example.settings)).not.toThrow();
      expect(rotator.traits(target.settings)).toMatchObject({
        overlap,
        mint,
        usage,
        endsSessions,
        admin,
        retirement,
        network,
      });
    });

    test('settings that the rotator does not know are refused by name', () => {
      const misspelt = () => rotator.traits({ ...target.settings, misspelt: 1 });
      expect(misspelt).toThrow(PolicyInvalid);
      expect(misspelt).toThrow(/misspelt/);
    });

    test('the principal is public: no sensitive value stands in it', () => {
      const principal = rotator.principal(target.secret, target.settings);
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
      // What a target mints may take a moment to be accepted; `apply` sees to that.
      if (mint === 'rotator') await refuses(to);
      await accepts(target.secret);
    });

    test('a value created and abandoned leaves nothing behind', async () => {
      const versionId = crypto.randomUUID();
      await createAs(versionId, target.secret);
      const to = await createAs(versionId, target.secret);
      await apply(target.secret, to);
      await retire(target.secret, to);
      if (isStoppedAtOnce) expect(await target.live()).toBe(1);
      else if (hasTarget) expect(await target.live()).toBe(2);
      await accepts(to);
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

    test('three rotations in a row, with retirements repeated, leave no credential that nobody knows', async () => {
      let current = target.secret;
      const others: string[] = [];
      for (let round = 1; round <= 3; round++) {
        const to = await create(current, others);
        // What the rotation before has left to this one is gone.
        for (const left of others) await refuses(left);
        await apply(current, to);
        await accepts(to);
        await retire(current, to);
        await retire(current, to);
        await isRetired(current);
        await accepts(to);
        others.splice(0, 1, current);
        current = to;
      }
      if (hasTarget) expect(await target.live()).toBe(isStoppedAtOnce ? 1 : 2);
    });

    test('an application works on through three rotations, in its old session and in new ones', async () => {
      let current = target.secret;
      const others: string[] = [];
      for (let round = 1; round <= 3; round++) {
        const before = await target.login(current, 'web');
        const to = await create(current, others);
        await apply(current, to);
        const after = await target.login(to, 'web');
        if (hasOverlap) await before.work();
        await retire(current, to);
        if (sessionsOutlive) await before.work();
        await after.work();
        await before.close();
        await after.close();
        others.splice(0, 1, current);
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

    testIf(connectionsPerVerb !== null)('each verb takes no more connections than it must', async () => {
      const connections = async () =>
        (await server.logins()).accepted.filter(({ application }) => application === 'rotor').length;
      const to = await create(target.secret);
      const counts: number[] = [];
      for (const verb of [
        () => apply(target.secret, to),
        () => accepts(to),
        ...(usage ? [() => rotator.usage(to, { since: since(), watchMs: 0 }, context())] : []),
        () => retire(target.secret, to),
        ...(endsSessions ? [() => rotator.end(target.secret, context())] : []),
      ]) {
        const before = await connections();
        await verb();
        counts.push((await connections()) - before);
      }
      expect(counts[0]).toBe(connectionsPerVerb);
      expect(counts[1]).toBe(connectionsPerVerb);
      expect(Math.max(...counts)).toBe(connectionsPerVerb);
    });

    test('retiring a credential in favour of itself stops nothing', async () => {
      const attempt = retire(target.secret, target.secret);
      if (hasOverlap) expect((await rejection(attempt)).name).toBe('SamePrincipal');
      else await attempt;
      await accepts(target.secret);
    });

    test('going back is safe when apply never ran', async () => {
      const to = await create(target.secret);
      await retire(to, target.secret);
      await accepts(target.secret);
    });

    testIf(hasOverlap && isStoppedAtOnce)(
      'nothing is stopped in favour of a credential that does not work',
      async () => {
        const to = await create(target.secret);
        // Made and never applied; or stopped already, where it worked from its making on.
        if (mint === 'target') await retire(to, target.secret);
        const refusal = await rejection(retire(target.secret, to));
        expect(['CredentialUnusable', 'CredentialRejected']).toContain(refusal.name);
        await accepts(target.secret);
      },
    );

    test('going back before the labels move leaves the old credential working', async () => {
      const to = await create(target.secret);
      await apply(target.secret, to);
      if (!hasOverlap) await apply(to, target.secret);
      await retire(to, target.secret);
      await retire(to, target.secret);
      await accepts(target.secret);
      await isRetired(to);
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
      await isRetired(to);
      if (isStoppedAtOnce) expect(await target.live()).toBe(1);
    });

    test('a credential that was stopped in going back works when the same rotation is tried again', async () => {
      const to = await create(target.secret);
      await apply(target.secret, to);
      if (!hasOverlap) await apply(to, target.secret);
      await retire(to, target.secret);
      await apply(target.secret, to);
      await accepts(to);
      if (hasOverlap) await accepts(target.secret);
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

    testIf(!usage)('usage is refused where the target cannot know', async () => {
      const refusal = await rejection(
        rotator.usage(target.secret, { since: since(), watchMs: 0 }, context()),
      );
      expect(refusal.name).toBe('InvocationMalformed');
    });

    testIf(usage)('usage tells logins since a moment from what was before', async () => {
      const ask = (after: Date, watchMs = 0) =>
        rotator.usage(target.secret, { since: after, watchMs }, context());
      const quiet = await ask(since());
      expect(quiet).toMatchObject({ begun: [], open: [] });
      expect(quiet.looks).toBeGreaterThanOrEqual(2);
      // While somebody watches, since not every target tells when a session began that was there before.
      const own = async () =>
        (await server.logins()).accepted.filter(({ application }) => application === 'rotor').length;
      /** Logs in during a watch; undefined where the machine was too slow for that. */
      const loginWhileWatched = async (watchMs: number) => {
        const before = await own();
        const from = Date.now();
        const watch = { isOver: false };
        const asked = ask(since(), watchMs).finally(() => (watch.isOver = true));
        if (connectionsPerVerb !== null) while (!watch.isOver && (await own()) === before) await pause(10);
        const session = await target.login(target.secret, 'web');
        await session.work();
        const isInTime = Date.now() < from + watchMs - 100;
        const { begun } = await asked;
        if (isInTime) return { session, begun };
        await session.close();
        return undefined;
      };
      const seen =
        (await loginWhileWatched(1_500)) ??
        (await loginWhileWatched(6_000)) ??
        (await loginWhileWatched(20_000));
      const [begun] = seen?.begun ?? [];
      expect(begun).toMatchObject({ count: 1 });
      const newest = new Date(begun?.newestBegan ?? '');
      const later = await ask(new Date(newest.getTime() + 1));
      expect(later.begun).toEqual([]);
      if (sessionsOutlive) expect(later.open).toMatchObject([{ count: 1 }]);
      await seen?.session.close();
    });

    testIf(!endsSessions)('an end of sessions is refused where they cannot be told apart', async () => {
      const refusal = await rejection(rotator.end(target.secret, context()));
      expect(refusal.name).toBe('InvocationMalformed');
    });

    testIf(endsSessions)(
      'sessions of what was retired are ended and named, those of what stays go on, and both may be repeated',
      async () => {
        const end = () => rotator.end(target.secret, context());
        const left = [await target.login(target.secret, 'left'), await target.login(target.secret, 'left')];
        const to = await create(target.secret);
        await apply(target.secret, to);
        const moved = await target.login(to, 'moved');
        // While the credential works somebody may need them, and would come back.
        expect((await rejection(end())).name).toBe('PrincipalInUse');
        for (const session of left) await session.work();
        await retire(target.secret, to);
        expect(await end()).toMatchObject([{ application: 'left', count: 2 }]);
        for (const session of left) await rejection(session.work());
        await moved.work();
        expect(await end()).toEqual([]);
        await retire(target.secret, to);
        // Nothing of it stands in the way of going back.
        await apply(to, target.secret);
        const back = await target.login(target.secret, 'back');
        await retire(to, target.secret);
        expect(await rotator.end(to, context())).toMatchObject([{ application: 'moved', count: 1 }]);
        await rejection(moved.work());
        await back.work();
        await back.close();
      },
    );

    testIf(twoPrincipals && mint === 'rotator')(
      'a principal that somebody took into use again is not reset',
      async () => {
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
      },
    );

    testIf(hasAdmin && mint === 'rotator')('a missing admin is missed where one is required', async () => {
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

    testIf(hasAdmin && adminIsPrincipal)(
      'an admin that the rotation itself would change is refused',
      async () => {
        const to = await create(target.secret);
        for (const self of [target.secret, ...(twoPrincipals ? [to] : [])]) {
          const attempt = rotator.apply({ from: target.secret, to }, context({ admin: self }), {});
          expect((await rejection(attempt)).name).toBe('AdminIsTheSecret');
        }
        await accepts(target.secret);
      },
    );

    /** The first verb that an admin is needed for, and what it is tried with. */
    const withAdmin = (changes: Parameters<typeof contextFor>[1]) => {
      const options = { versionId: crypto.randomUUID(), others: [] };
      return mint === 'target'
        ? rotator.create(target.secret, context(changes), options).then(note)
        : create(target.secret).then(async (to) => {
            await rotator.apply({ from: target.secret, to }, context(changes), {});
            return to;
          });
    };

    testIf(hasAdmin)('an admin that is refused is read once more, and used if it has changed', async () => {
      let reads = 0;
      const to = await withAdmin({
        admin: note(target.wrong(adminOf(target))),
        readAdminAgain: () => {
          reads += 1;
          return Promise.resolve(adminOf(target));
        },
      });
      expect(reads).toBe(1);
      await accepts(to);
    });

    testIf(hasAdmin)(
      'an admin that stays refused is AdminRejected after one try for each password',
      async () => {
        const wrong = note(target.wrong(adminOf(target)));
        for (const [again, tries] of [
          [wrong, 1],
          [note(target.wrong(adminOf(target))), 2],
        ] as const) {
          const before = (await server.logins()).refused.length;
          const refusal = await rejection(
            withAdmin({ admin: wrong, readAdminAgain: () => Promise.resolve(again) }),
          );
          expect(refusal.name).toBe('AdminRejected');
          expect((await server.logins()).refused.length - before).toBe(tries);
        }
        await accepts(target.secret);
      },
    );

    test('an unreachable target is named and worth another try', async () => {
      if (target.unreachable === undefined) return;
      const away = target.unreachable(target.secret);
      const admin = target.admin === undefined ? undefined : target.unreachable(target.admin).secret;
      const there = context({ admin, settings: away.settings });
      const options = { versionId: crypto.randomUUID(), others: [] };
      for (const attempt of [
        () => rotator.verify(away.secret, there),
        async () =>
          mint === 'target'
            ? rotator.create(away.secret, there, options)
            : rotator.apply(
                { from: away.secret, to: await rotator.create(away.secret, there, options) },
                there,
                {},
              ),
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
        ...required.flatMap((member) => [
          withMembers(target.secret, { [member]: undefined }),
          withMembers(target.secret, { [member]: { value: sensitive } }),
          withMembers(target.secret, { [member]: '' }),
        ]),
        ...['port', 'ssl']
          .filter((member) => member in membersOf(target.secret))
          .map((member) => withMembers(target.secret, { [member]: sensitive })),
      ]) {
        const refusal = await rejection(rotator.verify(text, context()));
        expect(refusal.name).toBe('SecretMalformed');
        expect(inspect(refusal).includes(sensitive)).toBe(false);
      }
    });

    testIf(hasTarget)('no error carries a secret value', async () => {
      const wrong = note(target.wrong(target.secret));
      const to = await create(target.secret);
      const wrongAdmin = target.admin === undefined ? {} : { admin: note(target.wrong(target.admin)) };
      const away = target.unreachable?.(target.secret);
      for (const attempt of [
        () => rotator.verify(wrong, context()),
        ...(away === undefined
          ? []
          : [() => rotator.verify(away.secret, context({ settings: away.settings }))]),
        ...(hasAdmin && mint === 'rotator'
          ? [
              () => rotator.apply({ from: target.secret, to }, context(wrongAdmin), {}),
              () => rotator.apply({ from: wrong, to: note(target.wrong(to)) }, context(wrongAdmin), {}),
            ]
          : []),
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

function adminOf(target: RehearsalTarget): string {
  if (target.admin === undefined)
    throw new Error('this target has no admin, although its rotator may use one');
  return target.admin;
}
