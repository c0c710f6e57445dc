/** What the embedded EventBridge does otherwise than AWS, for docs/aws-fidelity.md. */
export const eventsGaps: readonly string[] = [
  'Schedules, pipes, API destinations, connections, global endpoints, partner sources, schemas, replays, UpdateArchive and encryption with own keys are refused.',
  'Targets are SQS standard queues, Lambda functions and SNS topics of this account, and event buses of every account and region that was started with the same neighbours; the only target with a RoleArn is a bus, and it must have one.',
  'Patterns with cidr are refused. Error texts of patterns lack the position.',
  'InputPath and InputTransformer follow names and positions; a variable that the event lacks becomes null, or nothing inside a string.',
  'Delays between attempts grow from 1 s to 15 minutes: AWS publishes none. Events are delivered once and in order where nothing fails.',
  'A bus that is a target sees the role of the target and no aws:SourceArn, as recorded for other targets with a role; AWS’s examples of bus policies name it, and do not say whether it is there with a role.',
  'PutEvents on a bus by its ARN is answered by that account in the region that the request is signed for; entries for several accounts in one request are refused. What AWS does with an ARN of another region is not documented; here no such bus is known. No other operation takes a bus of another account.',
  'Retention of archives is not enforced. Tags are accepted without effect, and the condition keys of PutRule and DescribeRule are not filled.',
];
