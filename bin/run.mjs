// Runs one of the project's programs, written in TypeScript, with everything that it needs installed first:
//   node bin/run.mjs <file.ts> [arguments]
import { spawn } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { install, root } from './install.mjs';

install();
const [file, ...rest] = process.argv.slice(2);
const tsx = pathToFileURL(path.join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
const child = spawn(process.execPath, ['--import', tsx, path.join(root, file), ...rest], {
  stdio: 'inherit',
  cwd: root,
  // The functions run on Node 22 on AWS; what runs here is the user's own choice of Node.
  env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
});
// The program ends in its own time and with its own code. From a terminal Ctrl-C reaches it twice, which does no harm; a
// signal that somebody sends to this process alone would otherwise not reach it at all.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
