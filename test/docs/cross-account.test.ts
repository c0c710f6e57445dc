import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { App } from 'aws-cdk-lib';
import { transformSync } from 'esbuild';
import { read, root } from './markdown';

process.env['CDK_VALIDATION'] = 'false';
process.env['JSII_DEPRECATED'] = 'quiet';

const folder = path.join(root, 'node_modules/.cache/rotor-cross-account');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a piece of TypeScript of the page, and answers the templates of its app by their stacks. */
async function synthesised(code: string, name: string): Promise<Readonly<Record<string, string>>> {
  mkdirSync(folder, { recursive: true });
  const { code: plain } = transformSync(code, { loader: 'ts', format: 'cjs' });
  const file = path.join(folder, `${name}.cjs`);
  writeFileSync(file, plain.replaceAll('rotor/infra/', `${path.join(root, 'infra')}/`));
  process.env['CDK_OUTDIR'] = path.join(folder, `${name}.out`);
  const { app } = (await import(file)) as { readonly app: App };
  const { stacks } = app.synth();
  return Object.fromEntries(stacks.map(({ stackName, template }) => [stackName, JSON.stringify(template)]));
}

test('the two halves on the page are made as they stand there, and fit each other', async () => {
  const blocks = [...read('docs/cross-account.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(
    ([, code = '']) => code,
  );
  expect(blocks).toHaveLength(2);
  const [theirs = '', ours = ''] = blocks;
  const { Orders: team = '' } = await synthesised(theirs, 'theirs');
  const { Rotor: rotor = '' } = await synthesised(ours, 'ours');
  expect(team).toContain('AWS::Events::EventBusPolicy');
  // Requests go to the bus of that name, and answers are taken from that account.
  expect(team).toContain('"Name":"rotor-requests"');
  expect(rotor).toContain('arn:aws:events:eu-central-1:444455556666:event-bus/rotor-requests');
  expect(rotor).toContain('{\\"account\\":\\"444455556666\\",\\"deadlineSeconds\\":600}');
  expect(rotor).toContain('AWS::SecretsManager::ResourcePolicy');
});
