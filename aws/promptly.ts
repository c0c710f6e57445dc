/**
 * Settings of a client that is asked before a rotation begins: where no way leads to the service, from a VPC without an
 * endpoint for it, the function says so within half a minute, rather than to be ended after fifteen.
 */
export const promptly = {
  maxAttempts: 5,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;
