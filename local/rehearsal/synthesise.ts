import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RotatorName } from '../../rotators/registry';

/** The app could not be synthesised; the message is what it printed. */
export class SynthesisFailed extends Error {
  override readonly name = 'SynthesisFailed';
}

/** Where alerts go in a rehearsal. */
export const operatorAddress = 'operator@example.com';

/**
 * Synthesises the example app into `directory`, as `cdk synth` does, with the context that fits a rehearsal.
 *
 * In a process of its own: aws-cdk-lib takes some 200 MB, which are given back when it ends.
 */
export async function synthesise(directory: string, rotator: RotatorName): Promise<void> {
  const context = { rotator, maxAgeSeconds: '0.3', alertEmail: operatorAddress };
  const root = path.resolve(__dirname, '../..');
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
