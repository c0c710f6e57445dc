// Runs esbuild with a plug-in, which its synchronous form does not take, in a process of its own, since synthesis does
// not wait. Options come as JSON on standard input; what was built goes as JSON to standard output, contents in base64.
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

const { emptiedFiles, errorSchemas, ...options } = JSON.parse(await text(process.stdin));
// One expression for all: esbuild asks this process about no other file.
const filterOf = (files) => {
  const endings = files.map((file) => file.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('/', '[\\\\/]'));
  return new RegExp(`[\\\\/]node_modules[\\\\/](?:${endings.join('|')})$`);
};
const empty = {
  name: 'emptied files',
  setup: ({ onLoad }) => onLoad({ filter: filterOf(emptiedFiles) }, () => ({ contents: '' })),
};
// esbuild keeps them all, since registering one is a statement with an effect, and their traits have computed names.
const errorsOf = /^export var \w+\$ = \[-3, n0,[^]*?\];$|^n0_registry\.registerError\(.*\);$/gm;
const unregister = {
  name: 'errors without classes',
  setup: ({ onLoad }) =>
    onLoad({ filter: filterOf(errorSchemas) }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll(errorsOf, ''),
    })),
};
const { outputFiles } = await build({ ...options, write: false, plugins: [empty, unregister] });
const files = outputFiles.map(({ path, contents }) => [path, Buffer.from(contents).toString('base64')]);
process.stdout.write(JSON.stringify(files));
