const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * Starts with the rehearsals, which take the longest, so that no worker is left alone with one at the end; a clean clone
 * knows of no earlier run. They also find the workers fresh.
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const isLong = ({ path }) => path.includes('/test/rehearsal/');
    const sorted = super.sort(tests);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
};
