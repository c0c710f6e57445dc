import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const file = path.resolve(__dirname, '..', 'README.md');

/** Prints figures and puts them into README.md, between its marks `<!-- name -->` and `<!-- /name -->`. */
export function publish(name: string, figures: string): void {
  console.log(figures);
  const [opening, closing] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const readme = readFileSync(file, 'utf8');
  const [begin, end] = [readme.indexOf(opening), readme.indexOf(closing)];
  if (begin < 0 || end < begin) throw new Error(`README.md has no place for the figures of ${name}`);
  writeFileSync(file, `${readme.slice(0, begin + opening.length)}\n${figures}\n\n${readme.slice(end)}`);
}
