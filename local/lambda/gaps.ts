/** What the embedded Lambda does otherwise than AWS, for docs/aws-fidelity.md. */
export const lambdaGaps: readonly string[] = [
  'Functions run on the Node.js of this machine, whatever Runtime and Architectures say; other runtimes, container images, layers, versions, aliases, function URLs and SnapStart are refused.',
  'Functions are worker threads of one process: they share its file system, user and /tmp, and native code is not isolated.',
  'An environment is not frozen between invocations: timers and sockets that a handler leaves behind go on.',
  'MemorySize limits the heap of JavaScript objects; buffers outside it are not counted, and CPU does not grow with memory. Max Memory Used is the heap after the handler returned.',
  'Timeouts run on wall time even where the cloud’s time is scaled. An injected timeout is answered at once and reports the full limit as its duration.',
  'Loading the code may take as long as the function’s own timeout, 10 s at least; AWS starts it anew after 10 s.',
  'VpcConfig is recorded: no network interface is made, and every function reaches what this machine reaches.',
  'TracingConfig sets the sampling flag in _X_AMZN_TRACE_ID; no trace is recorded.',
  'EphemeralStorage, KMSKeyArn and Tags are accepted without effect.',
  'Handlers must return a value or a promise; callback handlers and response streaming are refused.',
  'Destinations, event source mappings and LogType Tail are refused; dead-letter queues and topics work.',
  'Reserved concurrency and the account’s limit of 1,000 are enforced; the rate of 1,000 new environments in 10 s is not.',
  'Event invocations are kept in memory, are never delivered twice by mistake, and are lost when the process ends.',
  'Code that ends on an unhandled error between two invocations is replaced silently; AWS reports it on the next invocation.',
];
