/** Largest synchronous request, and largest response without its envelope: 6 MB. */
export const requestLimitBytes = 6 * 1024 * 1024;

/** Largest response: the request's limit and 100 bytes, as Lambda words it in its error. */
export const responseLimitBytes = requestLimitBytes + 100;

/** Largest event of an asynchronous invocation: 1 MB. */
export const eventLimitBytes = 1024 * 1024;

/** Time for loading the code before an invocation's own limit begins. */
export const initLimitMs = 10_000;

/** Concurrent executions of an account, and what of them reserved concurrency must leave. */
export const accountConcurrency = 1000;
export const unreservedMinimum = 100;
