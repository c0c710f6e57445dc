import * as z from 'zod/mini';
import type { AdapterDefinition } from '../adapter';

const settings = z.strictObject({
  /** Name of the proxy, not its ARN. */
  dbProxyName: z.string().check(z.minLength(1)),
  /** Absent: all targets of the proxy; AWS gives every proxy one group, `default`. */
  targetGroupName: z.optional(z.string().check(z.minLength(1))),
  /** How long after the last change of the secret the health of the targets is believed. */
  quietSeconds: z._default(z.int().check(z.gte(0), z.lte(600)), 60),
});

/** What the adapter for RDS Proxy is told. */
export type RdsSettings = z.output<typeof settings>;

/** Watches a proxy of Amazon RDS, which reads the secret itself. */
export const rdsDefinition = {
  settings,
  // These read and no more. ARNs of proxies and target groups hold ids that AWS makes, which no name leads to.
  grants: () => [{ actions: ['rds:DescribeDBProxies', 'rds:DescribeDBProxyTargets'], resources: ['*'] }],
  lookEverySeconds: 10,
} as const satisfies AdapterDefinition<RdsSettings>;
