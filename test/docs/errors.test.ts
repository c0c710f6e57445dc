import { readFileSync } from 'node:fs';
import path from 'node:path';
import { wordAlert } from '../../domain/alerts';
import { rotorErrors } from '../../domain/errors';
import { remedies } from '../../domain/remedies';

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

test.each(names)('the link in an alert about %s leads to its heading', (error) => {
  const secret = { arn: 'arn', name: 'app' };
  const { text: alert } = wordAlert(
    {
      kind: 'failed',
      mode: 'rotate',
      executionArn: 'arn:aws:states:eu-central-1:111122223333:execution:rotor-rotation:x',
      secret,
      state: 'Plan',
      error,
      cause: '',
      outcome: 'unchanged',
      current: null,
      previous: null,
      token: 't',
      held: null,
      notes: [],
    },
    'https://example.org/errors.md',
  );
  expect(alert).toContain(`https://example.org/errors.md#${error.toLowerCase()}\n`);
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
