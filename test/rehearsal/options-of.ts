import { parseOptions, type RehearsalOptions } from '../../local/rehearsal/options';

/** What the command line asks for with these words; a test asks for no help. */
export function optionsOf(...words: readonly string[]): RehearsalOptions {
  const options = parseOptions(words);
  if (options === 'help') throw new TypeError('these words ask for help');
  return options;
}
