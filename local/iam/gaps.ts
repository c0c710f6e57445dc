/** What the embedded IAM does otherwise than AWS, for docs/aws-fidelity.md. */
export const iamGaps: readonly string[] = [
  'Identity, resource and trust policies are evaluated; permission boundaries, session policies, service and resource control policies, and VPC endpoint policies do not exist.',
  'A condition operator or key that nobody fills denies, in Allow and in Deny statements, and the refusal names it: aws:SourceIp, IpAddress, BinaryEquals and whatever is not in local/iam/condition-keys.ts.',
  'aws:SecureTransport is always true, aws:ViaAWSService always false; of organisations there is aws:PrincipalOrgID alone; keys of VPCs and principal tags are absent.',
  'Federated and canonical principals match nobody. Groups do not exist: callers are the operator, who may do everything, users, roles and services.',
  'Of the AWS managed policies only AWSLambdaBasicExecutionRole, AWSLambdaVPCAccessExecutionRole and AWSXRayDaemonWriteAccess exist; any other is refused by name.',
  'Changes take effect at once; on AWS they spread within seconds. New access keys do not: they are unknown for 150 ms, and AWS gives no figure. Refusals name no policy ARN, and users by ARN where IAM writes `user name`.',
  'Of the IAM API there are users, their inline policies and their access keys. Roles come from templates; groups, login profiles, managed policies of users, pages of lists, tags and permissions boundaries are refused.',
  'The last use of an access key is that of the first request in 15 minutes, as AWS documents for its credential report, and can be read at once; requests whose signature is refused do not count.',
  'GetAccessKeyLastUsed of a key that nobody has is NoSuchEntity; AWS documents no error for it.',
];
