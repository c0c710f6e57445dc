/** What the embedded SQS does otherwise than AWS, for docs/aws-fidelity.md. */
export const sqsGaps: readonly string[] = [
  'FIFO queues, RedriveAllowPolicy, message move tasks, AddPermission and RemovePermission are refused.',
  'Messages are received in the order in which they were sent, never twice by mistake, and by short polls as surely as by long ones.',
  'A queue can be created again, and purged again, at once; AWS asks for 60 seconds in between.',
  'SenderId is the ARN of the sender or the name of the service; AWS gives a unique id.',
  'The limit of 120,000 messages in flight is not enforced.',
  'Encryption is a permission check on the key; messages are kept in memory as they are.',
];
