import { startRedisTargets, type RedisTargets } from '../../../local/targets/redis-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, newVersion, withMembers } from '../context';
import { cutLine, type Moment } from '../cut-line';

const rotator = rotators['redis-acl'];

/** More messages than any verb sends in its own session. */
const enough = 12;

describe.each<Moment>(['before', 'after'])('redis-acl, cut off %s any message of a verb', (moment) => {
  let targets: RedisTargets;

  beforeAll(async () => {
    targets = await startRedisTargets();
  });
  afterAll(() => targets.stop());

  test.each(['apply', 'retire', 'go back'] as const)(
    '%s asks for another try, which ends it',
    async (verb) => {
      let cuts = 0;
      for (let nth = 1; nth <= enough; nth++) {
        const target = await targets.provision({ adminArn: 'arn:of:admin' });
        const line = await cutLine(targets.server.port, nth, moment);
        const from = target.secret;
        const to = await rotator.create(from, contextFor(target), newVersion());
        const back = { from: to, to: from };
        const change = verb === 'go back' ? back : { from, to };
        if (verb !== 'apply') await rotator.apply({ from, to }, contextFor(target), {});
        if (verb === 'go back') await rotator.retire({ from, to }, contextFor(target));

        const throughLine = (text: string) => withMembers(text, { port: line.port });
        const there = { from: throughLine(change.from), to: throughLine(change.to) };
        const admin = throughLine(target.admin ?? '');
        const attempt: Promise<unknown> =
          verb === 'retire'
            ? rotator.retire(there, contextFor(target, { admin }))
            : rotator.apply(there, contextFor(target, { admin }), {});
        const failure = await attempt.then(() => undefined).catch((error: unknown) => error);
        if (line.wasCut()) {
          cuts += 1;
          // Where the last answer had come, nothing is missing.
          if (failure !== undefined)
            expect(failure).toMatchObject({ name: 'TargetUnreachable', retryable: true });
        }
        await line.close();

        // From here on as the workflow goes on: the same verb again, and what follows it.
        await rotator.apply(change, contextFor(target), {});
        await rotator.verify(change.to, contextFor(target));
        await rotator.retire(change, contextFor(target));
        await rotator.verify(change.to, contextFor(target));
        expect(await target.live()).toBe(1);
      }
      expect(cuts).toBeGreaterThan(3);
    },
  );
});
