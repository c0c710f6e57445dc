import net from 'node:net';
import { once } from 'node:events';
import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import type { RehearsalTarget } from '../../../local/targets/target';
import { rotatorNames, rotators } from '../../../rotators/registry';
import { contextFor, rejection, withMembers } from '../context';

type Moment = 'before' | 'after';

let targets: PostgresTargets;

beforeAll(async () => {
  targets = await startPostgresTargets({});
});
afterAll(() => targets.stop());

describe.each(rotatorNames)('%s, cut off from the target at any message', (name) => {
  const rotator = rotators[name];
  const hasOverlap = rotator.traits.overlap !== 'none';
  let target: RehearsalTarget;

  const works = (secret: string) =>
    rotator.verify(secret, contextFor(target)).then(
      () => true,
      () => false,
    );

  /** Runs a verb through a line that is cut at the nth message, for every n that the verb gets to; returns how many. */
  async function atEveryMessage(
    moment: Moment,
    prepare: () => Promise<string>,
    verb: (through: (secret: string) => string, to: string) => Promise<unknown>,
    check: (to: string) => Promise<void>,
  ): Promise<number> {
    for (let nth = 1; ; nth++) {
      target = await targets.provision({ adminArn: 'arn:of:admin' });
      const to = await prepare();
      const line = await cutLine(targets.server.port, nth, moment);
      try {
        const attempt = verb((secret) => withMembers(secret, { port: line.port }), to);
        const refusal = await attempt.then(
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
      const messages = await atEveryMessage(
        moment,
        () => rotator.create(target.secret, contextFor(target)),
        (through, to) =>
          rotator.apply(
            { from: through(target.secret), to: through(to) },
            contextFor(target, { admin: through(target.admin) }),
            { replacedAt: new Date(0) },
          ),
        async (to) => {
          // At every instant there is a credential that works.
          expect((await works(target.secret)) || (await works(to))).toBe(true);
          if (hasOverlap) {
            expect(await works(target.secret)).toBe(true);
            // All of it has happened, or nothing: no user that is half made.
            const made = await targets.asSuperuser(
              `select 1 from pg_roles where rolname = '${rotator.principal(to)}'`,
            );
            expect(made.length === 1).toBe(await works(to));
          }
          await rotator.apply({ from: target.secret, to }, contextFor(target), { replacedAt: new Date(0) });
          await rotator.verify(to, contextFor(target));
        },
      );
      expect(messages).toBeGreaterThan(5);
    },
  );

  test.each<Moment>(['before', 'after'])(
    'apply: cut %s the server gets it, going back restores',
    async (moment) => {
      await atEveryMessage(
        moment,
        () => rotator.create(target.secret, contextFor(target)),
        (through, to) =>
          rotator.apply(
            { from: through(target.secret), to: through(to) },
            contextFor(target, { admin: through(target.admin) }),
            { replacedAt: new Date(0) },
          ),
        async (to) => {
          if (!hasOverlap) await rotator.apply({ from: to, to: target.secret }, contextFor(target), {});
          await rotator.retire({ from: to, to: target.secret }, contextFor(target));
          await rotator.verify(target.secret, contextFor(target));
          expect((await rejection(rotator.verify(to, contextFor(target)))).name).toBe('CredentialRejected');
        },
      );
    },
  );

  test.each<Moment>(['before', 'after'])(
    'retire: cut %s the server gets it, a repeat reaches the same end',
    async (moment) => {
      await atEveryMessage(
        moment,
        async () => {
          const to = await rotator.create(target.secret, contextFor(target));
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

/** A line to the server that is cut at the nth message of the client: before it is passed on, or right after. */
async function cutLine(serverPort: number, nth: number, moment: Moment) {
  let seen = 0;
  let cut = false;
  const sockets = new Set<net.Socket>();
  const line = net.createServer((client) => {
    const server = net.connect(serverPort, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    const hangUp = () => {
      client.destroy();
      server.destroy();
    };
    client.on('data', (message: Buffer) => {
      seen += 1;
      if (seen < nth) {
        server.write(message);
        return;
      }
      cut = true;
      if (moment === 'before') hangUp();
      // The server answers before the line goes down, so what it was told has happened.
      else server.write(message, () => server.once('data', hangUp).once('close', hangUp));
    });
    server.on('data', (message: Buffer) => {
      if (!cut) client.write(message);
    });
    client.on('close', () => server.end());
    server.on('close', () => client.destroy());
  });
  line.listen(0, '127.0.0.1');
  await once(line, 'listening');
  return {
    port: (line.address() as net.AddressInfo).port,
    wasCut: () => cut,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      line.close();
      await once(line, 'close');
    },
  };
}
