import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BuildOptions } from 'esbuild';
import * as z from 'zod';
import { emptiedFiles, errorSchemas, neverBundled, replacedModules } from '../rotators/bundling';
import { forgetOldest, markUsed, sourceHash } from './build-cache';

/** One function's code, ready to be an asset: a folder that holds `index.js` alone. */
export interface Bundle {
  readonly folder: string;
  readonly bytes: number;
}

/** The checkout; everything that is bundled lies below it. */
const repository = path.resolve(__dirname, '..');

/** Where bundles are kept between runs, in a folder for each state of the sources; not under version control. */
const kept = path.join(repository, '.build', 'functions');

/** For so many states of the sources. */
const mostKept = 4;

/**
 * Ways to credentials that a function never goes: it finds its own in the environment, which the SDK looks at first.
 * They are loaded on demand, and are a quarter of a bundle.
 */
const otherCredentials = [
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-login',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
];

/** What this process has asked for; sources do not change while an app is synthesised. */
const done = new Map<string, Bundle>();
let ofSources: string | undefined;

/**
 * Bundles entry files, each into a folder of its own, in one pass of esbuild. The same sources give the same bundles, so
 * that those are kept.
 *
 * The SDK is bundled too: the version that was tested is the version that runs, and the parts that a function does not
 * use are left out. The syntax is Node 20's although AWS runs a later one, because rehearsals run the same files on the
 * Node at hand. No source maps: they would be several times the code, and the traces that matter end in an error's own
 * name.
 *
 * @param entries file of each bundle, relative to the checkout, by the bundle's name; a name means one file.
 * @param without modules that are left out, as the sources import them; loading one fails when it is asked for.
 */
export function bundle<Name extends string>(
  entries: Readonly<Record<Name, string>>,
  { without = [] }: { readonly without?: readonly string[] } = {},
): Record<Name, Bundle> {
  const names = Object.keys(entries) as Name[];
  // Bundles of one name and different content stand beside each other: two processes may make them at once.
  const variant = createHash('sha256').update(without.join()).digest('hex').slice(0, 12);
  const folder = path.join(folderOfSources(), without.length === 0 ? 'all' : variant);
  const wanted = names.filter((name) => !isKept(path.join(folder, name)));
  build(
    wanted.map((name) => [name, entries[name]]),
    folder,
    without,
  );
  return Object.fromEntries(names.map((name) => [name, done.get(path.join(folder, name))])) as Record<
    Name,
    Bundle
  >;
}

/** Bundles one entry file. */
export function bundleOf(name: string, file: string): Bundle {
  const built = bundle({ [name]: file })[name];
  if (built === undefined) throw new Error(`esbuild made no bundle of ${file}`);
  return built;
}

/** The folder for the sources as they are. */
function folderOfSources(): string {
  if (ofSources === undefined) {
    ofSources = path.join(kept, sourceHash(repository));
    mkdirSync(ofSources, { recursive: true });
    markUsed(ofSources);
    forgetOldest(kept, mostKept);
  }
  return ofSources;
}

/** Whether a bundle is there, made by this process or an earlier one. Files are put there whole, or not at all. */
function isKept(folder: string): boolean {
  if (done.has(folder)) return true;
  const stat = statSync(path.join(folder, 'index.js'), { throwIfNoEntry: false });
  if (stat === undefined) return false;
  done.set(folder, { folder, bytes: stat.size });
  return true;
}

function build(
  entries: readonly (readonly [name: string, file: string])[],
  outdir: string,
  without: readonly string[],
): void {
  if (entries.length === 0) return;
  const files = esbuild(outdir, {
    absWorkingDir: repository,
    entryPoints: Object.fromEntries(entries.map(([name, file]) => [`${name}/index`, file])),
    outdir,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: [...neverBundled, ...without, ...otherCredentials],
    alias: { ...replacedModules },
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
  for (const [name, file] of entries) {
    const contents = files.get(path.join(name, 'index.js'));
    if (contents === undefined) throw new Error(`esbuild made no bundle of ${file}`);
    const folder = path.join(outdir, name);
    mkdirSync(folder, { recursive: true });
    // Beside the folder, not in it: whatever lies in the folder when it is fingerprinted becomes part of the asset.
    const draft = `${folder}.${process.pid.toString()}.draft`;
    writeFileSync(draft, contents);
    renameSync(draft, path.join(folder, 'index.js'));
    done.set(folder, { folder, bytes: contents.byteLength });
  }
}

const outputShape = z.array(z.tuple([z.string(), z.string()]));

/** What esbuild makes of the options, by path below `outdir`. */
function esbuild(outdir: string, options: BuildOptions): ReadonlyMap<string, Uint8Array> {
  let output: string;
  try {
    output = execFileSync(process.execPath, [path.join(__dirname, 'esbuild-process.mjs')], {
      input: JSON.stringify({ ...options, emptiedFiles, errorSchemas }),
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    const told = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`esbuild made no bundle: ${told.trim()}`, { cause: error });
  }
  const files = outputShape.parse(JSON.parse(output));
  return new Map(files.map(([file, text]) => [path.relative(outdir, file), Buffer.from(text, 'base64')]));
}
