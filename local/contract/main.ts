import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { contractFiles, contractFolder } from './files';

/** `npm run contract`: writes the contract anew, and removes files of types that are no more. */
function main(): void {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  const files = contractFiles(version);
  mkdirSync(contractFolder, { recursive: true });
  for (const name of readdirSync(contractFolder))
    if (name !== 'README.md' && !files.has(name)) rmSync(path.join(contractFolder, name));
  for (const [name, text] of files) writeFileSync(path.join(contractFolder, name), text);
  console.log(`wrote ${files.size} files to ${contractFolder}`);
}

main();
