/** Engines whose server is not on this machine, and whose tests therefore cannot run; bin/test.mjs has said why. */
const notRun = (process.env.ROTOR_NOT_RUN ?? '').split(',').filter((engine) => engine !== '');

module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', ...notRun.map((engine) => `/test/.*[/-]${engine}[-./]`)],
  transform: { '\\.ts$': '<rootDir>/test/jest-esbuild.cjs' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/.build'],
  testTimeout: 180_000,
  maxWorkers: 2,
  testSequencer: '<rootDir>/test/longest-first.cjs',
  // What a file leaves in memory stays with its worker; a large one is slow to collect and slow to start programs from.
  workerIdleMemoryLimit: '600MB',
};
