import { serverPrograms } from '../../local/targets/debian';
import { engineOf } from '../../rotators/bundling';
import { rotatorNames, rotators, type RotatorName } from '../../rotators/registry';
import type { RotatorTraits } from '../../rotators/rotator';
import { read, section } from './markdown';

const text = section(read('README.md'), 'Rotators') ?? '';
const rows = [...text.matchAll(/^\| \[`([\w-]+)`\]\(([^)]+)\) \|(.*)\|$/gm)].map(
  ([, name = '', link = '', rest = '']) => ({
    name,
    link,
    cells: rest.split('|').map((cell) => cell.trim()),
  }),
);

/** How the table calls what a trait says. */
const words = {
  overlap: { 'two-principals': 'two principals', 'two-credentials': 'two credentials', none: 'none' },
  mint: { rotator: 'Rotor', target: 'the target' },
  admin: { required: 'required', optional: 'optional', none: 'none' },
  retirement: { reversible: 'stopped', deferred: 'left' },
} as const;

/** Settings under which a rotator's traits are others than those of its example. */
const otherSettings: Partial<Record<RotatorName, (example: object) => readonly object[]>> = {
  'mysql-single': () => [{ dualPassword: true }],
  'http-api-key': (example) => [
    { ...example, ...stoppable('api.example.com') },
    { ...example, auth: ownKey },
  ],
  'oauth-client-secret': () => [
    { ...twoSecrets, auth: ownKey },
    { ...twoSecrets, auth: ownKey, ...stoppable('login.example.com') },
  ],
  lambda: ({ generated, ...example }: { generated?: unknown }) => [
    example,
    { ...example, generated, admin: 'optional', usage: false, overlap: 'none' },
    { ...example, admin: 'none', retirement: 'deferred', overlap: 'two-principals' },
    { ...example, endsSessions: true },
  ],
};

/** A credential that manages itself. */
const ownKey = { kind: 'bearer', from: 'secret', member: 'apiKey' };

const twoSecrets = {
  mode: 'two-secrets',
  hosts: ['login.example.com'],
  tokenEndpoint: 'https://login.example.com/token',
  create: { url: 'https://login.example.com/secrets', key: '/secret', id: '/id' },
  revoke: { url: 'https://login.example.com/secrets/{id}' },
};

/** How an issuer is described that can bring back what it has stopped. */
function stoppable(host: string): object {
  return {
    disable: { url: `https://${host}/secrets/{id}/disable` },
    enable: { url: `https://${host}/secrets/{id}/enable` },
  };
}

test('the table has one row for each rotator, in the order of the registry', () => {
  expect(rows.map(({ name }) => name)).toEqual(rotatorNames);
});

test.each(rotatorNames)('the row of %s leads to its page and says what its traits say', (name) => {
  const rotator = rotators[name];
  const { settings } = rotator.example;
  const traits = [settings, ...(otherSettings[name]?.(settings) ?? [])].map((one) => rotator.traits(one));
  const { link, cells } = rows.find((row) => row.name === name) ?? { link: '', cells: [] };
  expect(link).toBe(`rotators/${engineOf(name)}/README.md`);
  expect(cells.slice(1, 7)).toEqual([
    either(traits, ({ overlap }) => words.overlap[overlap]),
    either(traits, ({ mint }) => words.mint[mint]),
    either(traits, ({ usage }) => (usage ? 'yes' : 'no')),
    either(traits, ({ endsSessions }) => (endsSessions ? 'yes' : 'no')),
    either(traits, ({ admin }) => words.admin[admin]),
    either(traits, ({ overlap, retirement }) => (overlap === 'none' ? '–' : words.retirement[retirement])),
  ]);
});

test('every row says what is rotated, and what it was tried against', () => {
  for (const { cells } of rows) {
    expect(cells).toHaveLength(8);
    expect(Math.min(...cells.map((cell) => cell.length))).toBeGreaterThan(0);
  }
});

test('every other name that a trait can have is explained below the table', () => {
  for (const word of ['Two principals', 'Two credentials', 'Stopped', 'Left'])
    expect(text).toContain(`**${word}**`);
});

test('the servers that Debian brings are listed with their packages and variables', () => {
  const told = [...text.matchAll(/^\| [^|]+ \| `([\w-]+)` \| (?:`(\w+)`)?[^|]*\|$/gm)].map(
    ([, name, variable]) => ({ package: name, variable }),
  );
  expect(told).toEqual(
    Object.values(serverPrograms).map((program) => ({
      package: program.package,
      variable: 'variable' in program ? program.variable : undefined,
    })),
  );
});

/** What a trait says under any of the settings, the example's first. */
function either(traits: readonly RotatorTraits[], say: (traits: RotatorTraits) => string): string {
  const said = [...new Set(traits.map(say))];
  const last = said.pop() ?? '';
  return said.length === 0 ? last : `${said.join(', ')} or ${last}`;
}
