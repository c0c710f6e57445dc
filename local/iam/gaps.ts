/** What the evaluation of IAM policies does otherwise than AWS, for docs/aws-fidelity.md. */
export const iamGaps: readonly string[] = [
  'Identity, resource and trust policies are evaluated; permission boundaries, session policies, service and resource control policies, and VPC endpoint policies do not exist.',
  'A condition operator or key that nobody fills denies, in Allow and in Deny statements, and the refusal names it: aws:SourceIp, IpAddress, BinaryEquals and whatever is not in local/iam/condition-keys.ts.',
  'aws:SecureTransport is always true, aws:ViaAWSService always false; keys of organisations, VPCs and principal tags are absent.',
  'Federated and canonical principals match nobody. Users and groups do not exist: callers are the operator, who may do everything, roles and services.',
  'Of the AWS managed policies only AWSLambdaBasicExecutionRole, AWSLambdaVPCAccessExecutionRole and AWSXRayDaemonWriteAccess exist; any other is refused by name.',
  'Changes take effect at once; on AWS they spread within seconds. Refusals name no policy ARN.',
  'The IAM API itself is not offered: roles come from templates.',
];
