import * as fc from 'fast-check';
import {
  consumerParameter,
  executionName,
  followName,
  nameOfLevel,
  parameterLevel,
  secretNameOf,
  secretPolicyParameter,
} from '../../domain/names';

/** Names that AWS allows for secrets. */
const secretName = fc.stringMatching(/^[A-Za-z0-9/_+=.@-]{1,100}$/);
const anyText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
const arnOf = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
const uuid = '0e1b8a3c-5d8e-4b6a-9a3e-2f1d6c7b8a90';

describe('a name as one level of a parameter', () => {
  test('any text comes back as it was, also one that is not ASCII', () => {
    fc.assert(fc.property(anyText, (name) => expect(nameOfLevel(parameterLevel(name))).toBe(name)));
  });

  test('it holds only characters that Parameter Store allows in a level', () => {
    fc.assert(fc.property(anyText, (name) => expect(parameterLevel(name)).toMatch(/^[A-Za-z0-9._-]+$/)));
  });

  test('slashes and underscores become bytes', () => {
    expect(parameterLevel('prod/app_1')).toBe('prod_2fapp_5f1');
    expect(parameterLevel('grün')).toBe('gr_c3_bcn');
  });

  test.each(['job_41', 'my_adapter', 'my_service', 'a_', 'a_5F', 'grün', 'a/b'])(
    'level %s stands for no name, since Rotor would write it differently',
    (level) => expect(nameOfLevel(level)).toBeUndefined(),
  );

  test('policy and consumers of a secret lie below its own path', () => {
    expect(secretPolicyParameter('prod/app')).toBe('/rotor/secrets/prod_2fapp/policy');
    expect(consumerParameter('prod/app', 'web_1')).toBe('/rotor/secrets/prod_2fapp/consumers/web_5f1');
  });
});

describe('the name of a secret from its ARN', () => {
  test('any name comes back without the ending that AWS adds', () => {
    fc.assert(fc.property(secretName, (name) => expect(secretNameOf(arnOf(name))).toBe(name)));
  });

  test('a name that itself ends like the ending keeps it', () => {
    expect(secretNameOf(arnOf('db-master'))).toBe('db-master');
  });
});

describe('the name of an execution', () => {
  const token = fc.oneof(
    fc.uuid(),
    fc.stringMatching(/^[A-Za-z0-9-]{32,64}$/),
    fc.string({ minLength: 32, maxLength: 64 }),
  );
  const mode = fc.constantFrom('rotate' as const, 'test' as const);

  test('it has 80 characters at most, of those that Step Functions allows', () => {
    fc.assert(
      fc.property(secretName, token, fc.integer({ min: 1, max: 10_000 }), mode, (name, id, attempt, kind) => {
        const given = executionName(arnOf(name), id, attempt, kind);
        expect(given).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/);
      }),
    );
  });

  test('it differs wherever secret, token, attempt or mode differ', () => {
    const any = fc.tuple(secretName, token, fc.integer({ min: 1, max: 12 }), mode);
    fc.assert(
      fc.property(any, any, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        const [one, two] = [a, b].map(([name, id, attempt, kind]) =>
          executionName(arnOf(name), id, attempt, kind),
        );
        expect(one).not.toBe(two);
      }),
    );
  });

  test('tokens that differ only in a replaced character give different names', () => {
    const [dot, colon] = [`${uuid}.`, `${uuid}:`];
    expect(executionName(arnOf('app'), dot, 1, 'rotate')).not.toBe(
      executionName(arnOf('app'), colon, 1, 'rotate'),
    );
  });

  test('long secrets with one beginning are kept apart by the hash', () => {
    const [a, b] = ['a', 'b'].map((end) => arnOf('x'.repeat(90) + end));
    expect(executionName(a ?? '', uuid, 1, 'rotate')).not.toBe(executionName(b ?? '', uuid, 1, 'rotate'));
  });

  test('it shows the secret, the token and the attempt to whoever reads it', () => {
    const name = executionName(arnOf('prod/app'), uuid, 2, 'rotate');
    expect(name).toMatch(new RegExp(`^prod-app-[0-9a-f]{8}-${uuid}-2$`));
  });
});

describe('the name of an execution that follows', () => {
  const version = fc.stringMatching(/^[A-Za-z0-9-]{32,64}$/);
  const time = fc
    .integer({ min: 1_700_000_000, max: 2_000_000_000 })
    .map((second) => `${new Date(second * 1000).toISOString().slice(0, 19)}Z`);

  test('it has 80 characters at most, and is no name of a rotation', () => {
    fc.assert(
      fc.property(secretName, version, time, (name, id, movedAt) => {
        const given = followName(arnOf(name), id, movedAt);
        expect(given).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/);
        expect(given).not.toBe(executionName(arnOf(name), id, 1, 'rotate'));
      }),
    );
  });

  test('it is the same for every delivery of one move, and another for the next move to the same version', () => {
    const of = (movedAt: string) => followName(arnOf('app'), uuid, movedAt);
    expect(of('2026-01-01T00:00:00Z')).toBe(of('2026-01-01T00:00:00Z'));
    expect(of('2026-01-01T00:00:00Z')).not.toBe(of('2026-01-01T00:00:01Z'));
  });
});
