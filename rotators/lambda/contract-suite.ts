import { inspect } from 'node:util';
import type { Verb } from '../rotator';
import {
  schemaVersion,
  sensitiveStrings,
  type Members,
  type OwnAnswer,
  type OwnRequests,
  type ownRotator,
} from './contract';

/** One credential at a team's target, in use, with whatever is needed to change it. */
export interface OwnCredential {
  readonly secret: Members;
  readonly admin?: Members;
  /** How many credentials of it the target accepts at this moment, where the test can tell. */
  live?(): Promise<number>;
  /** Uses it as an application called `application` does; only where the target can tell who uses a credential. */
  use?(secret: Members, application: string): Promise<void>;
  /** Opens a session with it, and says later whether it is still open; only where sessions can be ended. */
  open?(secret: Members, application: string): Promise<{ isOpen(): Promise<boolean> }>;
}

/** What a team hands to the suite: its handler, and real credentials at a target of the test's own. */
export interface OwnSubject {
  readonly handler: ReturnType<typeof ownRotator>;
  /** As in the policy. */
  readonly settings: {
    readonly principal: string;
    readonly public?: readonly string[];
    readonly generated?: string;
    readonly overlap: 'two-principals' | 'two-credentials' | 'none';
    readonly usage?: boolean;
    readonly endsSessions?: boolean;
    readonly admin?: 'required' | 'optional' | 'none';
    readonly options?: Members;
  };
  /** Makes one more credential; each test has its own. */
  provision(): Promise<OwnCredential>;
  /** The same secret with a wrong credential in it. */
  wrong(secret: Members): Members;
  /** The same secret, or admin's secret, where nobody answers. */
  readonly unreachable?: (secret: Members) => Members;
  /** Draws what Rotor would draw. Default: 32 characters of the URL-safe alphabet. */
  readonly password?: () => string;
}

type Question<V extends Verb> = Omit<OwnRequests[V], 'options' | 'public' | 'admin'>;

/**
 * What every rotator promises, as jest tests against a team's own handler: call it at the top of a test file, with what
 * prepares the target in `beforeAll` of that file.
 */
export function ownRotatorContract(name: string, subject: OwnSubject): void {
  const { settings } = subject;
  const publicMembers = [settings.principal, ...(settings.public ?? [])];
  const hasOverlap = settings.overlap !== 'none';
  let count = 0;

  describe(`${name} keeps the contract of rotators`, () => {
    let credential: OwnCredential;
    const used = new Set<string>();

    beforeEach(async () => {
      credential = await subject.provision();
      note(credential.secret);
      note(credential.admin ?? {});
    });

    const note = (secret: Members): Members => {
      for (const value of sensitiveStrings(secret, publicMembers)) used.add(value);
      return secret;
    };
    const ask = async <V extends Verb>(
      verb: V,
      question: Question<V>,
      admin = credential.admin,
    ): Promise<OwnAnswer> => {
      const request = {
        schemaVersion,
        verb,
        ...question,
        options: settings.options ?? {},
        public: publicMembers,
        ...(admin === undefined ? {} : { admin }),
      };
      return overTheWire(await subject.handler(overTheWire(request)));
    };
    const done = async <V extends Verb>(verb: V, question: Question<V>): Promise<object> => {
      const answer = await ask(verb, question);
      if ('result' in answer) return answer.result;
      throw new Error(`${verb} answered ${answer.error.name}: ${answer.error.message}`);
    };
    const failure = async (answer: Promise<OwnAnswer>): Promise<string> => {
      const read = await answer;
      return 'error' in read ? read.error.name : 'no error';
    };
    const create = async (from: Members): Promise<Members> => {
      count += 1;
      if (settings.generated !== undefined) return note({ ...from, [settings.generated]: draw(subject) });
      const question = {
        from,
        versionId: `version-${String(count)}`,
        password: draw(subject),
        others: [],
        pinned: [],
      };
      return note({ ...(await done('create', question)) });
    };
    const apply = (from: Members, to: Members) => done('apply', { from, to });
    const retire = (from: Members, to: Members) => done('retire', { from, to });
    const accepts = (secret: Members) => done('verify', { secret });
    const refuses = async (secret: Members) =>
      expect(await failure(ask('verify', { secret }))).toBe('CredentialRejected');
    const isOnlyLive = async () => expect((await credential.live?.()) ?? 1).toBe(1);

    test('verify accepts the credential in use and rejects a wrong one', async () => {
      await accepts(credential.secret);
      await refuses(note(subject.wrong(credential.secret)));
    });

    test('the replacement keeps every member that is not the credential', async () => {
      const from = { ...credential.secret, team: 'web', tags: { of: ['somebody'] } };
      expect(await create(from)).toMatchObject({ team: 'web', tags: { of: ['somebody'] } });
    });

    test('a replacement that is never applied leaves the credential in use alone', async () => {
      const to = await create(credential.secret);
      await retire(to, credential.secret);
      await accepts(credential.secret);
    });

    test('apply may be repeated, and the old credential works on where the target can', async () => {
      const to = await create(credential.secret);
      await apply(credential.secret, to);
      await apply(credential.secret, to);
      await accepts(to);
      if (hasOverlap) await accepts(credential.secret);
      else await refuses(credential.secret);
    });

    test('apply says since when there is a gap, and only where there is one', async () => {
      const applied = await apply(credential.secret, await create(credential.secret));
      expect('gapBegan' in applied).toBe(!hasOverlap);
    });

    test('three rotations in a row, with retirements repeated, end with one live credential', async () => {
      let current = credential.secret;
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
      await isOnlyLive();
    });

    test('going back before the labels move leaves the old credential alone working', async () => {
      const to = await create(credential.secret);
      await apply(credential.secret, to);
      if (!hasOverlap) await apply(to, credential.secret);
      await retire(to, credential.secret);
      await retire(to, credential.secret);
      await accepts(credential.secret);
      await refuses(to);
    });

    test('going back after the retirement makes the old credential work before the new one stops', async () => {
      const to = await create(credential.secret);
      await apply(credential.secret, to);
      await retire(credential.secret, to);
      await apply(to, credential.secret);
      await apply(to, credential.secret);
      await accepts(credential.secret);
      if (hasOverlap) await accepts(to);
      await retire(to, credential.secret);
      await accepts(credential.secret);
      await refuses(to);
      await isOnlyLive();
    });

    test('retiring a credential in favour of itself stops nothing', async () => {
      const answer = ask('retire', { from: credential.secret, to: credential.secret });
      expect(['SamePrincipal', ...(hasOverlap ? [] : ['no error'])]).toContain(await failure(answer));
      await accepts(credential.secret);
    });

    if (settings.usage === true)
      test('usage tells uses since a moment from earlier ones', async () => {
        if (credential.use === undefined)
          throw new Error('the subject says that usage is known, and cannot use');
        const since = (at: number) => new Date(at).toISOString();
        const query = { secret: credential.secret, watchMs: 0 };
        const before = { ...query, since: since(Date.now() - 3_600_000) };
        expect(await done('usage', before)).toMatchObject({ begun: [], open: [] });
        await credential.use(credential.secret, 'web');
        expect(await done('usage', before)).toMatchObject({ begun: [{ count: 1 }] });
        expect(await done('usage', { ...query, since: since(Date.now() + 1_000) })).toMatchObject({
          begun: [],
        });
      });

    if (settings.endsSessions === true)
      test('end ends the sessions of what was retired and no others, and may be repeated', async () => {
        const open = (secret: Members, application: string) => {
          if (credential.open === undefined)
            throw new Error('the subject says that sessions can be ended, and opens none');
          return credential.open(secret, application);
        };
        const to = await create(credential.secret);
        const left = await open(credential.secret, 'left');
        await apply(credential.secret, to);
        const moved = await open(to, 'moved');
        expect(await failure(ask('end', { secret: credential.secret }))).toBe('PrincipalInUse');
        expect(await left.isOpen()).toBe(true);
        await retire(credential.secret, to);
        expect(await done('end', { secret: credential.secret })).toMatchObject({
          ended: [{ application: 'left', count: 1 }],
        });
        expect([await left.isOpen(), await moved.isOpen()]).toEqual([false, true]);
        expect(await done('end', { secret: credential.secret })).toEqual({ ended: [] });
        await accepts(to);
      });

    const { unreachable } = subject;
    if (unreachable !== undefined)
      test('a target that does not answer is worth another try', async () => {
        const away = unreachable(credential.secret);
        expect(await failure(ask('verify', { secret: away }))).toBe('TargetUnreachable');
        const admin = credential.admin === undefined ? undefined : unreachable(credential.admin);
        const attempt = ask('apply', { from: away, to: await create(away) }, admin);
        expect(await failure(attempt)).toBe('TargetUnreachable');
      });

    if (settings.admin === 'required' || settings.admin === 'optional')
      test('an admin that is refused is told from a credential that is', async () => {
        if (credential.admin === undefined)
          throw new Error('the subject says that there is an admin, and has none');
        const to = await create(credential.secret);
        const wrong = note(subject.wrong(credential.admin));
        const question = { from: credential.secret, to };
        expect(await failure(ask('apply', question, wrong))).toBe('AdminRejected');
        await refuses(to);
      });

    test('a secret without its members is malformed', async () => {
      for (const member of Object.keys(credential.secret)) {
        const { [member]: _, ...rest } = credential.secret;
        const answer = await ask('verify', { secret: rest });
        if ('error' in answer) expect(answer.error.name).toBe('SecretMalformed');
      }
      expect(await failure(ask('verify', { secret: {} }))).toBe('SecretMalformed');
    });

    test.each([
      ['of another version', { schemaVersion: '0' }],
      ['with an unknown verb', { verb: 'destroy' }],
      ['without a secret', { secret: undefined }],
      ['with a text for a secret', { secret: 'text' }],
    ])('a request %s is refused', async (_, change) => {
      const request = {
        schemaVersion,
        verb: 'verify',
        secret: credential.secret,
        options: {},
        public: [],
        ...change,
      };
      const answer = await subject.handler(overTheWire(request));
      expect('error' in answer && answer.error.name).toBe('InvocationMalformed');
    });

    test('no answer carries a secret but the replacement itself', async () => {
      const wrong = note(subject.wrong(credential.secret));
      const to = await create(credential.secret);
      const answers = [
        await ask('verify', { secret: wrong }),
        await ask('apply', { from: wrong, to: note(subject.wrong(to)) }),
        await ask('retire', { from: wrong, to }),
        ...(credential.admin === undefined
          ? []
          : [await ask('apply', { from: credential.secret, to }, note(subject.wrong(credential.admin)))]),
      ];
      const text = inspect(answers, { depth: null });
      expect([...used].filter((value) => text.includes(value))).toHaveLength(0);
    });
  });
}

/** What an invocation does to a payload. */
function overTheWire<Payload>(payload: Payload): Payload {
  return JSON.parse(JSON.stringify(payload)) as Payload;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function draw({ password }: OwnSubject): string {
  if (password !== undefined) return password();
  return [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => alphabet[byte % 64]).join('');
}
