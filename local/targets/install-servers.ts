import { installServers, missingServers, serverPrograms, ServerMissing } from './debian';

// What `npm test` runs first, so that test files do not stand in each other's way: every server that is missing, at once.
// Standard output gets the engines whose server is missing all the same, and so whose tests cannot run.
try {
  installServers(Object.values(serverPrograms));
} catch (error) {
  if (!(error instanceof ServerMissing)) throw error;
}
const missing = missingServers();
for (const [engine, reason] of Object.entries(missing))
  process.stderr.write(`The tests of ${engine} do not run: ${reason}\n`);
process.stdout.write(Object.keys(missing).join(','));
