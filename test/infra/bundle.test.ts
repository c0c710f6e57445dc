import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Bundle, bundle } from '../../infra/bundle';
import { functionNames } from '../../infra/rotor-functions';
import { modulesWithout } from '../../rotators/bundling';
import { rotatorNames } from '../../rotators/registry';

const functionFiles = Object.fromEntries(functionNames.map((name) => [name, `functions/${name}.ts`]));

/** As the example with the default rotator has them. */
const bundles: Readonly<Record<string, Bundle>> = {
  ...bundle(functionFiles, { without: modulesWithout(['postgres-alternating']) }),
  ...bundle({ 'reports-postgres': 'examples/reports/postgres.ts' }),
};

/** Environment that every bundle finds enough in, and no credentials but the function's own. */
const environment = {
  PATH: process.env['PATH'],
  AWS_REGION: 'eu-central-1',
  STATE_MACHINE_ARN: 'arn:aws:states:eu-central-1:111122223333:stateMachine:rotor-rotation',
  ALERT_TOPIC_ARN: 'arn:aws:sns:eu-central-1:111122223333:rotor-alerts',
  RUNBOOK_URL: 'https://example.com/errors',
  SECRET_ID: 'team/app',
  CONSUMER: 'reports',
  MAX_AGE_SECONDS: '60',
};

describe('bundles', () => {
  it('hold one file each, so that nothing else becomes part of the asset', () => {
    for (const { folder } of Object.values(bundles)) expect(readdirSync(folder)).toEqual(['index.js']);
  });

  it('load where there is no node_modules, and export their handler', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'rotor-bundles-'));
    try {
      for (const [name, { folder: built }] of Object.entries(bundles)) {
        cpSync(built, path.join(folder, name), { recursive: true });
      }
      const script = `
        const names = ${JSON.stringify(Object.keys(bundles))};
        console.log(names.filter((name) => typeof require(process.cwd() + '/' + name).handler === 'function').join());`;
      const output = execFileSync(process.execPath, ['--no-warnings', '-e', script], {
        cwd: folder,
        env: environment,
        encoding: 'utf8',
      });
      expect(output.trim().split(',')).toEqual(Object.keys(bundles));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keep to 400 KiB without a driver, and to 600 KiB with the driver of any one rotator', () => {
    const withDriver = ['rotation', 'set-secret', 'test-secret', 'usage', 'retire'];
    for (const rotator of rotatorNames) {
      const built: Readonly<Record<string, Bundle>> = bundle(functionFiles, {
        without: modulesWithout([rotator]),
      });
      const tooBig = Object.entries(built)
        .filter(([name, { bytes }]) => bytes / 1024 > (withDriver.includes(name) ? 600 : 400))
        .map(([name, { bytes }]) => `${name} ${Math.round(bytes / 1024).toString()} KiB`);
      expect([rotator, tooBig]).toEqual([rotator, []]);
    }
  });

  it('say by name that a rotator was left out, and go without its driver', () => {
    const without = modulesWithout(['postgres-single']);
    const folder = bundle(functionFiles, { without })['test-secret']?.folder ?? '';
    expect(without).toContain('./postgres/alternating');
    const code = readFileSync(path.join(folder, 'index.js'), 'utf8');
    expect(code).toContain('./postgres/alternating');
    expect(bundle(functionFiles, { without: modulesWithout([]) })['test-secret']?.bytes).toBeLessThan(
      code.length,
    );
  });
});
