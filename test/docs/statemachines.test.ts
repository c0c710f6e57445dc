import { read } from './markdown';
import { retrierNames, stateRows } from './statemachine-table';

const page = read('statemachines/README.md');

test('every state has its row, in the order of the workflow, with its kind, its retries and where its errors lead', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map(
    ([, name = '', kind = '', , retries = '', catches = '']) => ({
      name,
      kind: kind.trim(),
      retries: retries.trim(),
      catches: catches.trim(),
    }),
  );
  expect(rows).toEqual(stateRows());
});

test('every state says what it is for', () => {
  const purposes = [...page.matchAll(/^\| `\w+` \|[^|]*\|([^|]*)\|/gm)].map((match) => match[1]?.trim());
  expect(purposes.filter((purpose) => (purpose ?? '').length < 8)).toEqual([]);
});

test('every shared retrier is explained, and nothing else is', () => {
  const explained = [...page.matchAll(/^- `([\w-]+)`: /gm)].map((match) => match[1]);
  expect(explained).toEqual(retrierNames);
});
