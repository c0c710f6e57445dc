import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { engineOf } from '../../rotators/bundling';
import { isRotatorName, rotatorFor, rotatorNames, rotators } from '../../rotators/registry';

const root = path.resolve(__dirname, '../..');
const secret = {
  engine: 'postgres',
  host: 'db.example.com',
  port: 5432,
  username: 'app',
  password: 'placeholder',
  dbname: 'shop',
};
const text = (changes: object = {}) => JSON.stringify({ ...secret, ...changes });
const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:admin-AbCdEf';

describe('the registry', () => {
  test.each([
    ['postgres-single', {}],
    ['postgres-alternating', { masterarn: arn }],
    ['postgres-single', { engine: 'aurora-postgresql' }],
    ['postgres-alternating', { engine: 'aurora-postgresql', masterarn: arn }],
  ])('finds %s for a secret with %j', (name, changes) => {
    expect(rotatorFor(text(changes)).name).toBe(name);
    expect(rotatorFor(text(changes)).rotator.adminArn(text(changes))).toBe(
      'masterarn' in changes ? arn : undefined,
    );
  });

  test('lets the policy decide against what the secret says', () => {
    expect(rotatorFor(text({ masterarn: arn }), 'postgres-single').name).toBe('postgres-single');
    expect(rotatorFor(text(), 'postgres-alternating').name).toBe('postgres-alternating');
  });

  test.each([[{ engine: 'oracle' }], [{ engine: undefined }], [{ engine: 7 }]])(
    'finds none for %j, and says which there are',
    (changes) => {
      expect(() => rotatorFor(text(changes))).toThrow(
        expect.objectContaining({
          name: 'RotatorUnknown',
          message: expect.stringContaining(rotatorNames.join(', ')) as string,
        }) as Error,
      );
    },
  );

  test.each([['postgres'], ['toString'], ['__proto__'], ['']])('knows no rotator called %j', (name) => {
    expect(isRotatorName(name)).toBe(false);
    expect(() => rotatorFor(text(), name)).toThrow(
      expect.objectContaining({ name: 'RotatorUnknown' }) as Error,
    );
  });

  test('calls a secret that is no JSON malformed', () => {
    expect(() => rotatorFor('not JSON')).toThrow(
      expect.objectContaining({ name: 'SecretMalformed' }) as Error,
    );
  });

  test('has no folder of an engine without the files that every engine has', () => {
    const engines = readdirSync(path.join(root, 'rotators'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(engines.length).toBeGreaterThan(0);
    for (const { name } of engines)
      for (const file of [
        'README.md',
        'definition.ts',
        ...(hasTarget(name) ? ['errors.ts', 'connection.ts'] : []),
      ])
        expect([name, file, existsSync(path.join(root, 'rotators', name, file))]).toEqual([name, file, true]);
  });

  test('tells traits without loading a driver', () => {
    const script = `
      const { rotators } = require('./rotators/registry');
      const traits = Object.values(rotators).map((rotator) => rotator.traits(rotator.example.settings).overlap);
      const drivers = Object.keys(require.cache).filter((file) => /node_modules[\\\\/](?:pg|mysql2|ssh2|@redis|@aws-sdk)[\\\\/]/.test(file));
      console.log(JSON.stringify({ traits, drivers }));`;
    const output = execFileSync(process.execPath, ['--import', 'tsx', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(JSON.parse(output)).toEqual({
      traits: rotatorNames.map((name) => rotators[name].traits(rotators[name].example.settings).overlap),
      drivers: [],
    });
  });
});

/** Whether any rotator of an engine reaches a target. */
function hasTarget(engine: string): boolean {
  return rotatorNames.some(
    (name) =>
      engineOf(name) === engine && rotators[name].traits(rotators[name].example.settings).network !== 'none',
  );
}
