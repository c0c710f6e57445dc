import { inspect } from 'node:util';
import * as z from 'zod/mini';
import { CredentialRejected, TargetUnreachable } from '../../domain/errors';
import { redactor } from '../../rotators/redaction';
import type { Rotator, RotatorContext, RotatorDefinition, Usage } from '../../rotators/rotator';
import { seal } from '../../rotators/seal';
import { noSettings } from '../../rotators/settings';
import { rejection } from './context';

const secretShape = z.looseObject({ user: z.string().check(z.minLength(1)), password: z.string() });
type Secret = z.infer<typeof secretShape>;

const definition: RotatorDefinition<Secret> = {
  traits: () => ({
    overlap: 'none',
    mint: 'rotator',
    usage: true,
    endsSessions: true,
    admin: 'optional',
    retirement: 'reversible',
    network: 'public',
    iam: [],
  }),
  secret: secretShape,
  admin: secretShape,
  settings: noSettings,
  example: { secret: { user: 'app' }, generated: 'password', settings: {} },
  sensitive: ({ password }) => [password],
  claims: ({ kind }) => kind === 'test',
  principal: ({ user }) => user,
  adminArn: () => undefined,
};

/** A password with a character for every way of writing it that there is. */
const password = `pa'ss"wo\\rd ü/+?&=%_first`;
const adminPassword = `ad'mi"n\\pass ß/+?&=%_second`;
const freshPassword = 'third+password/of the admin';
const secret = JSON.stringify({ user: 'app', password });

function context(changes: Partial<RotatorContext<string>> = {}): RotatorContext<string> {
  return {
    admin: JSON.stringify({ user: 'admin', password: adminPassword }),
    readAdminAgain: undefined,
    settings: {},
    signal: new AbortController().signal,
    password: () => 'new',
    ...changes,
  };
}

/** A rotator whose every verb does the same: for what happens around a verb. */
function sealedWith(verb: (context: RotatorContext<Secret>) => Promise<never>) {
  const rotator: Rotator<Secret> = {
    create: (_, c) => verb(c),
    apply: (_, c) => verb(c),
    verify: (_, c) => verb(c),
    usage: (_, __, c) => verb(c),
    retire: (_, c) => verb(c),
    end: (_, c) => verb(c),
  };
  const sealed = seal(definition, () => Promise.resolve(rotator));
  const change = { from: secret, to: secret };
  return [
    () => sealed.create(secret, context(), { versionId: 'v', others: [] }),
    () => sealed.apply(change, context(), {}),
    () => sealed.verify(secret, context()),
    () => sealed.usage(secret, { since: new Date(0), watchMs: 0 }, context()),
    () => sealed.retire(change, context()),
    () => sealed.end(secret, context()),
  ];
}

/** Everything of an error that a log, a debugger or a runtime could show. */
const shown = (error: Error) =>
  [
    inspect(error, { depth: null, showHidden: true, getters: true }),
    JSON.stringify(
      Object.fromEntries(Object.getOwnPropertyNames(error).map((k) => [k, Reflect.get(error, k) as unknown])),
    ),
    String(error.stack),
  ].join('\n');

const formsOf = (value: string) => [
  value,
  encodeURIComponent(value),
  encodeURIComponent(value).replaceAll('%20', '+'),
  JSON.stringify(value).slice(1, -1),
  Buffer.from(value).toString('base64'),
  Buffer.from(value).toString('base64url'),
  value.replaceAll("'", "''"),
  value.replaceAll("'", "''").replaceAll('\\', '\\\\'),
];
const holdsNone = (text: string, ...values: readonly string[]) =>
  !values.flatMap(formsOf).some((form) => text.includes(form));

describe('no secret leaves a verb', () => {
  test('in the message or the stack of an error with a name, in whatever form', async () => {
    for (const form of [...formsOf(password), ...formsOf(adminPassword)])
      for (const verb of sealedWith(() =>
        Promise.reject(new CredentialRejected(`refused: ${form} and so on`)),
      )) {
        const error = await rejection(verb());
        expect(error.name).toBe('CredentialRejected');
        expect(error.message).toBe('refused: [redacted] and so on');
        expect(holdsNone(shown(error), password, adminPassword)).toBe(true);
      }
  });

  test('in the message of a driver that gives its error no name', async () => {
    for (const verb of sealedWith(() => Promise.reject(new Error(`syntax error at or near "${password}"`)))) {
      const error = await rejection(verb());
      expect(error.name).toBe('TargetRefused');
      expect(holdsNone(shown(error), password)).toBe(true);
    }
  });

  test('in the members or the cause that a driver hangs on its error', async () => {
    // In a form that no redaction of text knows: reversed, as it stands for any that nobody thought of.
    const unknownForm = Array.from(password).reverse().join('');
    for (const raised of [
      Object.assign(new Error('syntax error'), { query: unknownForm, detail: { parameters: [unknownForm] } }),
      Object.assign(new TargetUnreachable('gone'), { query: unknownForm }),
      new Error('syntax error', { cause: new Error(unknownForm) }),
      Object.assign(new CredentialRejected('no'), { cause: { statement: unknownForm } }),
    ])
      for (const verb of sealedWith(() => Promise.reject(raised))) {
        const error = await rejection(verb());
        expect(holdsNone(shown(error), unknownForm)).toBe(true);
        expect(error.cause).toBeUndefined();
      }
  });

  test('in something that is thrown and is no error', async () => {
    for (const thrown of [password, { password }, null, 7])
      for (const verb of sealedWith(async () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- drivers have done it
        throw thrown;
      })) {
        const error = await rejection(verb());
        expect(error.name).toBe('TargetRefused');
        expect(holdsNone(shown(error), password)).toBe(true);
      }
  });

  test('not even of an admin that was read while the verb ran', async () => {
    const rotator: Pick<Rotator<Secret>, 'verify'> = {
      verify: async (_, { readAdminAgain }) => {
        throw new CredentialRejected(`refused: ${String((await readAdminAgain?.())?.password)}`);
      },
    };
    const sealed = seal(definition, () => Promise.resolve({ ...neverCalled, ...rotator }));
    const readAdminAgain = () => Promise.resolve(JSON.stringify({ user: 'admin', password: freshPassword }));
    const error = await rejection(sealed.verify(secret, context({ readAdminAgain })));
    expect(error.message).toBe('refused: [redacted]');
    expect(holdsNone(shown(error), freshPassword)).toBe(true);
  });

  test('in the name that an application gives itself', async () => {
    const holder = { clientAddress: null, count: 1, newestBegan: '', oldestBegan: '', openSeconds: null };
    const usage: Usage = {
      begun: [{ ...holder, application: `postgres://app:${encodeURIComponent(password)}@db` }],
      open: [{ ...holder, application: null }],
      looks: 2,
    };
    const sealed = seal(definition, () =>
      Promise.resolve({
        ...neverCalled,
        usage: () => Promise.resolve(usage),
        end: () => Promise.resolve(usage.begun),
      }),
    );
    const seen = await sealed.usage(secret, { since: new Date(0), watchMs: 0 }, context());
    expect(seen).toMatchObject({
      begun: [{ application: 'postgres://app:[redacted]@db' }],
      open: [{ application: null }],
    });
    expect(await sealed.end(secret, context())).toMatchObject(seen.begun);
  });

  test('as a verifier that PostgreSQL quotes', () => {
    const verifier = 'SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVkS2V5:c2VydmVyS2V5';
    expect(redactor([])(`alter role x password '${verifier}'`)).toBe(`alter role x password '[redacted]'`);
  });

  test('in what is said about a malformed secret', async () => {
    const sealed = seal(definition, () => Promise.resolve(neverCalled));
    for (const text of [password, `{"password": "${password}`, JSON.stringify({ [`user`]: 7, password })]) {
      const error = await rejection(sealed.verify(text, context()));
      expect(error.name).toBe('SecretMalformed');
      expect(holdsNone(shown(error), password)).toBe(true);
    }
  });
});

describe('settings and bundles', () => {
  test('settings that the rotator does not know are PolicyInvalid by name, at any verb and at the traits', async () => {
    const sealed = seal(definition, () => Promise.resolve(neverCalled));
    const wrong = context({ settings: { host: 'x' } });
    for (const refusal of [
      await rejection(sealed.verify(secret, wrong)),
      await rejection(Promise.resolve().then(() => sealed.traits({ host: 'x' }))),
    ])
      expect(refusal).toMatchObject({
        name: 'PolicyInvalid',
        message: 'settings of the rotator: unknown field host',
      });
  });

  test('a bundle that was made without a rotator says so by name', async () => {
    const absent = Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
    const sealed = seal(definition, () => Promise.reject(absent));
    expect((await rejection(sealed.verify(secret, context()))).name).toBe('RotatorUnknown');
  });

  test('a version of another shape stands in nobody’s way', async () => {
    const seen: unknown[] = [];
    const sealed = seal(definition, () =>
      Promise.resolve({
        ...neverCalled,
        create: (from, _, { others, pinned }) => {
          seen.push(others, pinned);
          return Promise.resolve(from);
        },
      }),
    );
    const [previous, stable] = ['previous', 'stable'].map((user) => ({
      ...(JSON.parse(secret) as object),
      user,
    }));
    const strange = ['no JSON', '{"of":"another rotator"}'];
    const others = [...strange, JSON.stringify(previous)];
    const pinned = [JSON.stringify(stable), ...strange];
    await sealed.create(secret, context(), { versionId: 'v', others, pinned });
    await sealed.create(secret, context(), { versionId: 'v', others });
    expect(seen).toEqual([[previous], [stable], [previous], []]);
  });

  test('the values of other versions are sensitive too', async () => {
    const other = 'the+value/of another version';
    const sealed = seal(definition, () =>
      Promise.resolve({ ...neverCalled, create: () => Promise.reject(new Error(`no: ${other}`)) }),
    );
    const others = [JSON.stringify({ user: 'app', password: other })];
    const refusal = await rejection(sealed.create(secret, context(), { versionId: 'v', others }));
    expect(shown(refusal).includes(other)).toBe(false);
  });
});

describe('around a verb', () => {
  test('the driver is loaded by the first verb, and neither by traits nor by reading a secret', async () => {
    let loads = 0;
    const sealed = seal(definition, () => {
      loads += 1;
      return Promise.resolve({ ...neverCalled, verify: () => Promise.resolve() });
    });
    expect([
      sealed.traits({}).overlap,
      sealed.principal(secret, {}),
      sealed.claims('{"kind":"test"}'),
    ]).toEqual(['none', 'app', true]);
    expect(sealed.adminArn(secret)).toBeUndefined();
    expect(loads).toBe(0);
    await sealed.verify(secret, context());
    expect(loads).toBe(1);
  });

  test('a verb that ignores its signal is left behind when time is up', async () => {
    const abort = new AbortController();
    const sealed = seal(definition, () =>
      Promise.resolve({ ...neverCalled, verify: () => new Promise<never>(() => undefined) }),
    );
    const refused = rejection(sealed.verify(secret, context({ signal: abort.signal })));
    setImmediate(() => abort.abort());
    expect(await refused).toMatchObject({ name: 'TargetUnreachable', retryable: true });
  });

  test('what a driver says while it is being cut off is time running out, and no refusal', async () => {
    const abort = new AbortController();
    const verify = () => {
      abort.abort();
      return Promise.reject(new Error('Connection terminated unexpectedly'));
    };
    const sealed = seal(definition, () => Promise.resolve({ ...neverCalled, verify }));
    const refusal = await rejection(sealed.verify(secret, context({ signal: abort.signal })));
    expect(refusal.name).toBe('TargetUnreachable');
  });

  test('a malformed admin secret is told from a malformed secret', async () => {
    const sealed = seal(definition, () => Promise.resolve(neverCalled));
    const refusal = await rejection(sealed.verify(secret, context({ admin: '{"user":""}' })));
    expect(refusal).toMatchObject({ name: 'SecretMalformed' });
    expect(refusal.message).toBe('admin secret has a wrong or missing field: user, password');
  });
});

const unexpected = () => Promise.reject(new Error('not expected in this test'));
const neverCalled: Rotator<Secret> = {
  create: unexpected,
  apply: unexpected,
  verify: unexpected,
  retire: unexpected,
};
