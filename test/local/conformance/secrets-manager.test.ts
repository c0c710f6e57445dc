import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replaySecretsManager } from '../../../local/conformance/secrets-manager';

const file = join(__dirname, '../../../../shared/conformance/secretsmanager.json');

describe('Secrets Manager, replayed from what was recorded on AWS', () => {
  if (!existsSync(file)) {
    it.skip('stands aside, because ../shared/conformance is absent', () => undefined);
    return;
  }

  it('answers every recorded request as AWS did', async () => {
    const results = await replaySecretsManager(file);

    const others = results.filter((result) => result.outcome !== 'passed');
    expect(others).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(45);
  });

  it('notices an answer that differs from the recorded one', async () => {
    const { compareRecorded } = await import('../../../local/conformance/compare-recorded');
    const recorded = { VersionId: '<version_uuid:1>', VersionStages: ['AWSCURRENT', 'PUT1'] };
    const bindings = new Map<string, string>();

    expect(
      compareRecorded(recorded, { VersionId: 'a', VersionStages: ['PUT1', 'AWSCURRENT'] }, bindings),
    ).toBe(undefined);
    expect(
      compareRecorded(recorded, { VersionId: 'b', VersionStages: ['PUT1', 'AWSCURRENT'] }, bindings),
    ).toBe('.VersionId: expected <version_uuid:1>, got b');
    expect(
      compareRecorded(recorded, { VersionId: 'a', VersionStages: ['PUT1', 'AWSPENDING'] }, bindings),
    ).toBe('.VersionStages: nothing matches "AWSCURRENT"');
    expect(compareRecorded(recorded, { VersionId: 'a' }, bindings)).toBe('.VersionStages: missing');
  });
});
