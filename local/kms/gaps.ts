/** What the embedded KMS does otherwise than AWS, for docs/aws-fidelity.md. */
export const kmsGaps: readonly string[] = [
  'Nothing is encrypted: Encrypt, Decrypt and GenerateDataKey are not offered as calls; SNS, SQS and Secrets Manager ask whether their caller may make them.',
  'Symmetric keys of this region that are always enabled: other specs, import, deletion, disabling, grants and multi-region keys are refused.',
  'Conditions on the encryption context deny, because none is filled.',
  'Rotation is a flag that can be set and read; no key is rotated.',
  'Keys of AWS (alias/aws/…) serve the account’s own identities through the service whose name they carry, without a look at identity policies.',
];
