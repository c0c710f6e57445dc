import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The checkout. */
export const root = path.resolve(__dirname, '..', '..');

/** Folders that hold what others wrote, or what is made anew at any time. */
const foreign = new Set(['node_modules', 'cdk.out', 'coverage']);

/** Every Markdown file of the project, by its path from the checkout. */
export function markdownFiles(folder = ''): readonly string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !foreign.has(name) && !name.startsWith('.'))
    .flatMap((entry) => {
      const file = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) return markdownFiles(file);
      return entry.name.endsWith('.md') ? [file] : [];
    });
}

/** The text of a file of the project. */
export function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** The code blocks of a text that are marked with a language, in their order. */
export function codeBlocks(text: string, language: string): readonly string[] {
  return blocks(text).flatMap((block) => (block.language === language ? [block.code] : []));
}

/** What stands between a heading and the next one of the same or a higher level; undefined where there is none. */
export function section(text: string, heading: string): string | undefined {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start === -1) return undefined;
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 1;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? Infinity) <= level);
  return rest.slice(0, end === -1 ? undefined : end).join('\n');
}

/** The first column of every table row of a text, where it is code. */
export function rowNames(text: string): readonly string[] {
  return [...text.matchAll(/^\| `([^`]+)`[^|]*\|/gm)].map((match) => match[1] ?? '');
}

/** The links of a file that lead nowhere: relative ones to a missing file, and anchors without their heading. */
export function brokenLinks(file: string, text = read(file)): readonly string[] {
  return links(text).filter((link) => {
    if (/^(https?|mailto):/.test(link)) return false;
    const [target = '', anchor] = link.split('#');
    const found =
      target === '' ? file : path.posix.normalize(path.posix.join(path.posix.dirname(file), target));
    if (found.startsWith('..') || !existsSync(path.join(root, found))) return true;
    if (anchor === undefined) return false;
    return !found.endsWith('.md') || !anchors(found === file ? text : read(found)).includes(anchor);
  });
}

/** Where the links of a text lead, those in code left out. */
function links(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
}

/** The anchors that GitHub makes of a text's headings. */
function anchors(text: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map((match) => {
    const slug = (match[1] ?? '')
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

function withoutCode(text: string): string {
  return withoutBlocks(text).replace(/`[^`\n]*`/g, '``');
}

function withoutBlocks(text: string): string {
  return text.replace(fence, '');
}

const fence = /^( *)```([\w-]*)\n([\s\S]*?)^\1```$/gm;

function blocks(text: string): readonly { readonly language: string; readonly code: string }[] {
  return [...text.matchAll(fence)].map((match) => ({ language: match[2] ?? '', code: match[3] ?? '' }));
}
