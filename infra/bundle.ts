import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

/** One function's code, ready to be an asset: a folder that holds `index.js` alone. */
export interface Bundle {
  readonly folder: string;
  readonly bytes: number;
}

/** The checkout; everything that is bundled lies below it. */
const repository = path.resolve(__dirname, '..');

/** Where bundles are kept between runs; not under version control. */
const bundleFolder = path.join(repository, '.build', 'functions');

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

/** What this process has bundled; sources do not change while an app is synthesised. */
const done = new Map<string, Bundle>();

/**
 * Bundles entry files, each into a folder of its own, in one pass of esbuild.
 *
 * The SDK is bundled too: the version that was tested is the version that runs, and the parts that a function does not
 * use are left out. The syntax is Node 20's although AWS runs a later one, because rehearsals run the same files on the
 * Node at hand. `pg-native` is an optional dependency of `pg` that is never installed. No source maps: they would be
 * several times the code, and the traces that matter end in an error's own name.
 *
 * @param entries file of each bundle, relative to the checkout, by the bundle's name; a name means one file.
 */
export function bundle<Name extends string>(entries: Readonly<Record<Name, string>>): Record<Name, Bundle> {
  const names = Object.keys(entries) as Name[];
  build(names.filter((name) => !done.has(name)).map((name) => [name, entries[name]]));
  return Object.fromEntries(names.map((name) => [name, done.get(name)])) as Record<Name, Bundle>;
}

function build(entries: readonly (readonly [name: string, file: string])[]): void {
  if (entries.length === 0) return;
  const built = buildSync({
    absWorkingDir: repository,
    entryPoints: Object.fromEntries(entries.map(([name, file]) => [`${name}/index`, file])),
    outdir: bundleFolder,
    write: false,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: ['pg-native', ...otherCredentials],
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
  const files = new Map(
    built.outputFiles.map((file) => [path.relative(bundleFolder, file.path), file.contents]),
  );
  for (const [name, file] of entries) {
    const contents = files.get(path.join(name, 'index.js'));
    if (contents === undefined) throw new Error(`esbuild made no bundle of ${file}`);
    const folder = path.join(bundleFolder, name);
    replaceFile(path.join(folder, 'index.js'), contents);
    done.set(name, { folder, bytes: contents.byteLength });
  }
}

/** Several processes may bundle at once: a file is replaced as a whole, and left alone where it is equal. */
function replaceFile(file: string, contents: Uint8Array): void {
  try {
    if (readFileSync(file).equals(contents)) return;
  } catch {
    // Absent so far.
  }
  mkdirSync(path.dirname(file), { recursive: true });
  // Beside the folder, not in it: whatever lies in the folder when it is fingerprinted becomes part of the asset.
  const draft = path.join(
    bundleFolder,
    `${path.basename(path.dirname(file))}.${process.pid.toString()}.draft`,
  );
  writeFileSync(draft, contents);
  renameSync(draft, file);
}
