/** What the embedded RDS does otherwise than AWS, for docs/aws-fidelity.md. */
export const rdsGaps: readonly string[] = [
  'DescribeDBProxies and DescribeDBProxyTargets only; Filters are refused, as AWS does not support them. Proxies are put into the account by the test or rehearsal.',
  'A proxy takes no connections and reads no secret: its status and the health of its targets are what was said of them. How soon a proxy on AWS reads a new version, and which login its health stands for, AWS does not document.',
  'Every proxy has the one target group default. IAM is asked about the proxy by its ARN, and about targets by the ARN of the group; messages of errors are not AWS’s.',
];
