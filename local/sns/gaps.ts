/** What the embedded SNS does otherwise than AWS, for docs/aws-fidelity.md. */
export const snsGaps: readonly string[] = [
  'FIFO topics, PublishBatch, SMS, mobile push, Firehose, filter policies, delivery policies, delivery status logs and data protection policies are refused.',
  'Subscriptions are confirmed at once, also those by email and HTTP; unsubscribing needs no confirmation.',
  'Mails are kept in an outbox. HTTP requests go to loopback addresses; all others are kept in the outbox.',
  'Envelopes are not signed: Signature is empty and no certificate stands behind SigningCertURL. TracingConfig and SignatureVersion are kept without effect.',
  'A delivery is tried 15 times within about two minutes; AWS goes on for 23 days.',
  'Encryption is a permission check on the key; messages are kept in memory as they are.',
];
