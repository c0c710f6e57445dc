// Compiles TypeScript for jest with the bundler that the functions are built with; types are checked by tsc.
const { transformSync } = require('esbuild');
const { createHash } = require('node:crypto');

module.exports = {
  getCacheKey: (source, path) => createHash('sha1').update(`2\0${path}\0${source}`).digest('hex'),
  process: (source, path) => ({
    code: transformSync(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'node20',
      sourcemap: 'inline',
      sourcefile: path,
      // import() becomes a require() that runs when it is reached: jest has none of its own in CommonJS.
      supported: { 'dynamic-import': false },
    }).code,
  }),
};
