import { existsSync } from 'node:fs';
import path from 'node:path';
import { replayAsl } from './asl';
import { replaySecretsManager, type ConformanceResult } from './secrets-manager';

/** Where the recordings lie; they are not part of the project. */
const recordings = path.resolve(__dirname, '../../../shared/conformance');

/** `npm run conformance`: replays what was recorded on AWS, and says feature by feature what came out. */
async function main(): Promise<number> {
  if (!existsSync(recordings)) {
    console.log(
      'There are no recordings beside this checkout (../shared/conformance): nothing was replayed.',
    );
    return 0;
  }
  const results = [
    ...(await replayAsl(path.join(recordings, 'asl'))),
    ...(await replaySecretsManager(path.join(recordings, 'secretsmanager.json'))),
  ];
  const features = [...new Set(results.map(({ feature }) => feature))].sort();
  const count = (of: readonly ConformanceResult[], outcome: ConformanceResult['outcome']) =>
    of.filter((result) => result.outcome === outcome).length;
  const row = (name: string, of: readonly ConformanceResult[]) =>
    console.log(
      `${name.padEnd(52)} ${(['passed', 'failed', 'refused'] as const)
        .map((outcome) => `${String(count(of, outcome)).padStart(4)} ${outcome}`)
        .join('  ')}`,
    );
  for (const feature of features)
    row(
      feature,
      results.filter((result) => result.feature === feature),
    );
  row('all', results);
  for (const { case: name, outcome, detail } of results.filter(({ outcome }) => outcome !== 'passed'))
    console.log(`${outcome}: ${name}${detail === undefined ? '' : `: ${detail.split('\n')[0] ?? ''}`}`);
  return count(results, 'failed') === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
