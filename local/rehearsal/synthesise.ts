import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { forgetOldest, markUsed, sourceHash } from '../../infra/build-cache';
import type { RotatorName } from '../../rotators/registry';

/** The app could not be synthesised; the message is what it printed. */
export class SynthesisFailed extends Error {
  override readonly name = 'SynthesisFailed';
}

/** Where alerts go in a rehearsal. */
export const operatorAddress = 'operator@example.com';

/** Where assemblies are kept between runs; not under version control. */
const kept = path.join('.build', 'assemblies');

/** So many of them: two contexts of each rotator, and those of the state before the last change. */
const mostKept = 60;

/**
 * Synthesises the example app as `cdk synth` does, with the context that fits a rehearsal; answers the assembly's folder,
 * which is not to be changed. The same sources and the same context give the same assembly, so that one is kept.
 */
export async function synthesise(rotator: RotatorName): Promise<string> {
  const root = path.resolve(__dirname, '../..');
  const folder = path.join(root, kept, `${rotator}-${sourceHash(root)}`);
  if (existsSync(folder)) {
    markUsed(folder);
    return folder;
  }
  // Two processes may synthesise at once: each does so for itself, and the first to be ready is kept.
  const draft = `${folder}.${String(process.pid)}.draft`;
  try {
    await synthesiseInto(draft, rotator, root);
    await rename(draft, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  forgetOldest(path.join(root, kept), mostKept);
  return folder;
}

/** In a process of its own: aws-cdk-lib takes some 200 MB, which are given back when it ends. */
async function synthesiseInto(directory: string, rotator: RotatorName, root: string): Promise<void> {
  const context = { rotator, maxAgeSeconds: '0.3', alertEmail: operatorAddress };
  const tsx = pathToFileURL(require.resolve('tsx')).href;
  const child = spawn(process.execPath, ['--import', tsx, path.join(root, 'infra/app.ts')], {
    cwd: root,
    env: {
      ...process.env,
      CDK_OUTDIR: directory,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      // CloudFormation's own rules take a second and are checked by the tests; cdk-nag's run here too.
      CDK_VALIDATION: 'false',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new SynthesisFailed(`the app ended with ${String(code)}: ${printed}`);
}
