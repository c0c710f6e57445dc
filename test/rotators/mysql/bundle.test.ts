import { rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { startMysqlTargets } from '../../../local/targets/mysql-target';
import { neverBundled, replacedModules } from '../../../rotators/bundling';
import type { single } from '../../../rotators/mysql/single';
import { inGoodTime } from '../context';

const root = path.resolve(__dirname, '../../..');

describe('the driver in a bundle', () => {
  test('takes less than 420 KB without what is left out, and logs in and tells refusals as ever', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'rotor-bundle-test-'));
    const targets = await startMysqlTargets();
    try {
      const outfile = path.join(folder, 'single.js');
      const { metafile } = buildSync({
        absWorkingDir: root,
        entryPoints: ['rotators/mysql/single.ts'],
        outfile,
        bundle: true,
        minify: true,
        platform: 'node',
        format: 'cjs',
        target: 'node20',
        mainFields: ['module', 'main'],
        alias: { ...replacedModules },
        external: [...neverBundled],
        charset: 'utf8',
        metafile: true,
      });
      const [output] = Object.values(metafile.outputs);
      expect(output?.bytes).toBeLessThan(420_000);
      expect(Object.keys(metafile.inputs).filter((file) => /iconv-lite|aws-ssl/.test(file))).toEqual([]);
      const bundled = (await import(outfile)) as { readonly single: typeof single };
      const target = await targets.provision({ user: 'Müller', password: 'größer als früher' });
      const context = {
        admin: undefined,
        readAdminAgain: undefined,
        settings: { dualPassword: false },
        signal: inGoodTime(),
        password: () => 'ünrelated',
      };
      const secret = JSON.parse(target.secret) as Parameters<typeof bundled.single.verify>[0];
      await bundled.single.verify(secret, context);
      const to = { ...secret, password: 'größer als je' };
      await bundled.single.apply({ from: secret, to }, context, {});
      await bundled.single.verify(to, context);
      await expect(bundled.single.verify(secret, context)).rejects.toMatchObject({
        name: 'CredentialRejected',
      });
    } finally {
      await targets.stop();
      await rm(folder, { recursive: true });
    }
  });
});
