import { brokenLinks, markdownFiles, read } from './markdown';
import { scripts } from './package-scripts';

const files = markdownFiles();

test('the documents of the project are found', () => {
  expect(files).toEqual(
    expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/errors.md', 'client/README.md']),
  );
});

test.each(files)('every relative link and anchor of %s leads somewhere', (file) => {
  expect(brokenLinks(file)).toEqual([]);
});

test.each([
  '[a missing file](docs/nowhere.md)',
  '[a missing heading](docs/errors.md#nosucherror)',
  '[a missing heading of its own](#nowhere)',
  '[outside of the project](../elsewhere.md)',
])('a broken link is found: %s', (text) => {
  expect(brokenLinks('README.md', text)).toHaveLength(1);
});

test.each(files)('every npm command in %s is one of the project', (file) => {
  const named = [...read(file).matchAll(/\bnpm (?:run )?(start|test|run [\w-]+|[\w-]+)/g)].map(
    (match) => match[0],
  );
  const own = named.filter((command) => /^npm (run |start|test)/.test(command));
  expect(own.filter((command) => !scripts.includes(command.replace(/^npm (run )?/, '')))).toEqual([]);
});
