import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { bundle } from '../infra/bundle';
import { functionNames } from '../infra/rotor-functions';
import { modulesWithout } from '../rotators/bundling';
import type { RotatorName } from '../rotators/registry';

/** Functions that run a rotator's verbs, and so carry its driver. */
const reachesRotators = new Set(['rotation', 'set-secret', 'test-secret', 'usage', 'retire']);

/** What one function's bundle weighs, and how long Node takes to load it. */
export interface BundleFigures {
  readonly name: string;
  readonly kib: number;
  readonly importMs: number;
  readonly hasDriver: boolean;
}

/** Variables without which some function does not load. */
const environment = {
  STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:111122223333:stateMachine:rotor-rotation',
  ALERT_TOPIC_ARN: 'arn:aws:sns:us-east-1:111122223333:rotor-alerts',
  RUNBOOK_URL: 'https://example.com/errors',
  AWS_REGION: 'us-east-1',
};

/** Builds every function as it is deployed for one rotator, and loads each in a process of its own. */
export function measureBundles(rotator: RotatorName): readonly BundleFigures[] {
  const bundles = bundle(Object.fromEntries(functionNames.map((name) => [name, `functions/${name}.ts`])), {
    without: modulesWithout([rotator]),
  });
  return Object.entries(bundles).map(([name, { folder }]) => {
    const file = path.join(folder, 'index.js');
    const script = `const t = performance.now(); require(${JSON.stringify(file)}); console.log(Math.round(performance.now() - t))`;
    const times = [1, 2, 3].map(() =>
      Number(
        execFileSync(process.execPath, ['--no-warnings', '-e', script], {
          encoding: 'utf8',
          env: { ...process.env, ...environment },
        }),
      ),
    );
    return {
      name,
      kib: Math.round(statSync(file).size / 1024),
      importMs: Math.min(...times),
      hasDriver: reachesRotators.has(name),
    };
  });
}
