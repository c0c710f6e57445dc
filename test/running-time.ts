/** Shorter than anything that is measured here, longer than what a busy machine is late by. */
export const sliceMs = 50;

/**
 * Starts to count the time in which this process runs, in milliseconds; what it returns stops and says it. A machine that
 * stands still, or collects garbage, adds a slice at most.
 */
export function startRunningTime(): () => number {
  let slices = 0;
  const counter = setInterval(() => (slices += 1), sliceMs);
  return () => {
    clearInterval(counter);
    return slices * sliceMs;
  };
}
