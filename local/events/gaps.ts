/** What the embedded EventBridge does otherwise than AWS, for docs/aws-fidelity.md. */
export const eventsGaps: readonly string[] = [
  'Schedules, pipes, API destinations, connections, global endpoints, partner sources, schemas, replays, UpdateArchive and encryption with own keys are refused.',
  'Targets are SQS standard queues, Lambda functions, SNS topics and event buses of this account; the only target with a RoleArn is a bus, and it must have one.',
  'Patterns with cidr are refused. Error texts of patterns lack the position.',
  'InputPath and InputTransformer follow names and positions; a variable that the event lacks becomes null, or nothing inside a string.',
  'Delays between attempts grow from 1 s to 15 minutes: AWS publishes none. Events are delivered once and in order where nothing fails.',
  'An event passes five buses at most; AWS stops at the third account or region.',
  'Retention of archives is not enforced. Tags are accepted without effect, and the condition keys of PutRule and DescribeRule are not filled.',
];
