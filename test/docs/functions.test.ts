import { readFileSync } from 'node:fs';
import path from 'node:path';
import { rotorErrors } from '../../domain/errors';
import { environments } from '../../functions/environment';
import { machine } from '../statemachines/workflow';

const text = readFileSync(path.resolve(__dirname, '..', '..', 'functions', 'README.md'), 'utf8');
const rows = [...text.matchAll(/^\| `([\w-]+)` \|(.*)\|$/gm)].map((match) => ({
  name: match[1] ?? '',
  cells: (match[2] ?? '').split(' | ').map((cell) => cell.trim()),
}));

test('the table has one row for each function, in the order of the code', () => {
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(environments));
});

test('every cell says something', () => {
  for (const { cells } of rows) {
    expect(cells).toHaveLength(5);
    expect(cells.filter((cell) => cell === '')).toEqual([]);
  }
});

test('the states that invoke a function are those of the workflow, both ways', () => {
  const invoking = new Map<string, string[]>();
  for (const [state, { Arguments }] of Object.entries(machine().States)) {
    const [, prefix] = /^\$\{(\w+)FunctionArn\}$/.exec(String(Arguments?.['FunctionName'])) ?? [];
    if (prefix === undefined) continue;
    const name = prefix.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    invoking.set(name, [...(invoking.get(name) ?? []), state]);
  }
  const states = new Set(Object.keys(machine().States));
  for (const { name, cells } of rows) {
    const told = (cells[0] ?? '').match(/\w+/g)?.filter((word) => states.has(word)) ?? [];
    expect([name, [...told].sort()]).toEqual([name, (invoking.get(name) ?? []).sort()]);
  }
});

test('every error that the table names is declared', () => {
  const named = rows.flatMap(({ cells }) => cells[4]?.match(/\b[A-Z][a-z]+[A-Z]\w+\b/g) ?? []);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !(name in rotorErrors))).toEqual([]);
});
