module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: { '\\.ts$': '<rootDir>/test/jest-esbuild.cjs' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/.build'],
  testTimeout: 60_000,
  maxWorkers: 2,
};
