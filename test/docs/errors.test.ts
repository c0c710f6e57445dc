import { readFileSync } from 'node:fs';
import path from 'node:path';
import { wordAlert, type Incident } from '../../domain/alerts';
import { rotorErrors } from '../../domain/errors';
import { anchorOf, foreignRemedies, remedies } from '../../domain/remedies';
import { brokenLinks } from './markdown';

const text = readFileSync(path.resolve(__dirname, '..', '..', 'docs', 'errors.md'), 'utf8');
const [, ...parts] = text.split(/^## /m);
const sections = new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part]));
const foreign = 'Errors of AWS and of the runtime';
const names = Object.keys(rotorErrors);

test('every error has one section, every section is of an error, in the order of the code', () => {
  expect(parts).toHaveLength(sections.size);
  expect([...sections.keys()]).toEqual([...names, foreign]);
});

test.each(Object.entries(remedies))(
  '%s has a meaning, a place and the remedy of the alert',
  (name, remedy) => {
    const section = sections.get(name) ?? '';
    const [, meaning = '', list = ''] = section.split('\n\n');
    expect(meaning.length).toBeGreaterThan(40);
    expect(list).toMatch(/^- Where: .{5,}$/m);
    expect(list).toContain(`- Remedy: ${remedy}`);
  },
);

const incident: Incident = {
  kind: 'failed',
  mode: 'rotate',
  executionArn: 'arn:aws:states:eu-central-1:111122223333:execution:rotor-rotation:x',
  secret: { arn: 'arn', name: 'app' },
  state: 'Plan',
  error: 'PolicyInvalid',
  cause: '',
  outcome: 'unchanged',
  current: null,
  previous: null,
  token: 't',
  held: null,
  notes: [],
};
const alertOf = (changes: Partial<Incident>) =>
  wordAlert({ ...incident, ...changes }, 'https://example.org/errors.md').text;

test.each(names)('the link in an alert about %s leads to its heading', (error) => {
  expect(alertOf({ error })).toContain(`https://example.org/errors.md#${error.toLowerCase()}\n`);
});

const decide = { busName: 'rotor', choices: ['resume', 'accept'], taskToken: 'token' } as const;

test.each<Partial<Incident>>([
  { outcome: 'unchanged' },
  { outcome: 'reverted' },
  { outcome: 'kept' },
  { outcome: 'revert-failed' },
  { kind: 'held', outcome: 'kept', decide },
  { mode: 'test' },
  { error: 'Runtime.ExitError' },
])('every link to this page in an alert of %j leads to a heading of it', (changes) => {
  const links = [...alertOf(changes).matchAll(/https:\/\/example\.org\/errors\.md(#\S+)/g)].map(
    (match) => `[link](docs/errors.md${match[1] ?? ''})`,
  );
  expect(links).toHaveLength(2);
  expect(brokenLinks('README.md', links.join('\n'))).toEqual([]);
});

test('every outcome that an alert links to leads on to the runbook', () => {
  const introduction = text.slice(0, text.indexOf('\n## '));
  for (const anchor of ['unchanged', 'reverted', 'kept', 'revert-failed', 'held', 'a-failed-test'])
    expect(introduction).toContain(`(runbook.md#${anchor}).\n`);
});

test("alerts say of AWS's errors what the table says", () => {
  const table = [...(sections.get(foreign) ?? '').matchAll(/^\| `([\w.]+)` \| (.*) \| (.*) \|$/gm)];
  expect(table.map(([, name, ...cells]) => [name, ...cells.map((cell) => cell.replaceAll('`', ''))])).toEqual(
    Object.entries(foreignRemedies).map(([name, { meaning, remedy }]) => [name, meaning, remedy]),
  );
  expect(anchorOf('Runtime.ExitError')).toBe(foreign.toLowerCase().replaceAll(' ', '-'));
});

test('the errors of AWS that the workflow retries or meets are listed once each', () => {
  const rows = [...(sections.get(foreign) ?? '').matchAll(/^\| `([\w.]+)` \|/gm)].map((match) => match[1]);
  expect(rows).toEqual([...new Set(rows)]);
  for (const name of [
    'AccessDeniedException',
    'Lambda.Unknown',
    'Sandbox.Timedout',
    'States.Timeout',
    'AlertFailed',
  ])
    expect(rows).toContain(name);
});

test('the command in the introduction is the one that alerts give', () => {
  expect(text).toContain('--version-stage rotor-held --remove-from-version-id <version>');
});
