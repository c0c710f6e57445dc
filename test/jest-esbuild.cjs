// Compiles TypeScript for jest with the bundler that the functions are built with; types are checked by tsc.
const { transformSync } = require('esbuild');
const { createHash } = require('node:crypto');

module.exports = {
  getCacheKey: (source, path) => createHash('sha1').update(`1\0${path}\0${source}`).digest('hex'),
  process: (source, path) => ({
    code: transformSync(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'node20',
      sourcemap: 'inline',
      sourcefile: path,
      // Keep import() as it is: jest resolves it, and drivers stay lazy.
      supported: { 'dynamic-import': true },
    }).code,
  }),
};
