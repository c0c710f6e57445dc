import { styleText } from 'node:util';

/** Where a rehearsal says how far it is. */
export interface Progress {
  /** A step of the preparation, with what came of it. */
  prepared(what: string, ms: number): void;
  heading(text: string): void;
  /** Something that happened in a rotation, `ms` after its beginning. */
  happened(ms: number, who: string, what: string, tone?: Tone): void;
}

export type Tone = 'plain' | 'good' | 'bad' | 'quiet';

/** Says nothing; for tests, and for `--json`. */
export const silence: Progress = {
  prepared: () => undefined,
  heading: () => undefined,
  happened: () => undefined,
};

const colours = { plain: 'reset', good: 'green', bad: 'red', quiet: 'gray' } as const;

/** Writes lines for people; with colours where the stream is a terminal. */
export function lines(stream: NodeJS.WriteStream): Progress {
  const colour = (tone: Tone, text: string) => (stream.isTTY ? styleText(colours[tone], text) : text);
  const write = (text: string) => stream.write(`${text}\n`);
  return {
    prepared: (what, ms) => write(`  ${what.padEnd(62)} ${colour('quiet', seconds(ms))}`),
    heading: (text) => write(`\n${stream.isTTY ? styleText('bold', text) : text}`),
    happened: (ms, who, what, tone = 'plain') =>
      write(`  ${colour('quiet', seconds(ms))}  ${who.padEnd(18)} ${colour(tone, what)}`),
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(6)} s`;
}
