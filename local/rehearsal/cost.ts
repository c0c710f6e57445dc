import type { InvocationRecord } from '../lambda/ports';

/** AWS's list prices in us-east-1 in US dollars, November 2026; the price of an SNS publish is not verified. */
const prices = {
  transition: 0.025 / 1000,
  secretsManagerCall: 0.05 / 10_000,
  lambdaRequest: 0.2 / 1_000_000,
  lambdaGigabyteSecond: 0.000_013_333_4,
  customEvent: 1 / 1_000_000,
  snsPublish: 0.5 / 1_000_000,
};

/** What a run used of the services that charge by use. */
export interface Used {
  readonly transitions: number;
  /** Waiting included: it is charged as well. */
  readonly secretsManagerCalls: number;
  readonly invocations: readonly InvocationRecord[];
  readonly customEvents: number;
  readonly snsPublishes: number;
}

/** What that costs on AWS in US dollars; durations are those of this machine. */
export function costOf(used: Used): number {
  const gigabyteSeconds = used.invocations.reduce(
    (sum, { durationMs, memoryMb }) => sum + (durationMs / 1000) * (memoryMb / 1024),
    0,
  );
  return (
    used.transitions * prices.transition +
    used.secretsManagerCalls * prices.secretsManagerCall +
    used.invocations.length * prices.lambdaRequest +
    gigabyteSeconds * prices.lambdaGigabyteSecond +
    used.customEvents * prices.customEvent +
    used.snsPublishes * prices.snsPublish
  );
}
