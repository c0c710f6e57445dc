/** What the gateway does otherwise than AWS, for docs/aws-fidelity.md. */
export const gatewayGaps: readonly string[] = [
  'Plain HTTP on 127.0.0.1; one endpoint for all services and regions. The region that a request is signed for is not looked at, unless the cloud has neighbours: then the account’s cloud in that region answers.',
  'Signatures are checked by Signature Version 4 in the Authorization header only; presigned requests, Signature Version 4A and the age of a signature are not.',
  'The protocols are AWS JSON 1.0 and 1.1, query and REST JSON (Lambda); Smithy RPC v2 CBOR, event streams and compressed requests are refused. SQS and CloudWatch Logs speak JSON only.',
  'Requests are never throttled by rate.',
  'Version 1 of the AWS CLI sends `aws sqs` past AWS_ENDPOINT_URL to AWS: it needs --endpoint-url. Version 2 does not.',
  'A client that goes away during a call does not end the call.',
];
