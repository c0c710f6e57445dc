/** What the embedded Step Functions does otherwise than AWS, for docs/aws-fidelity.md. */
export const stepFunctionsGaps: readonly string[] = [
  'JSONPath is refused by name when a state machine is created; Pass, Wait, Succeed and Fail states without any path field are taken, since they mean the same in both languages.',
  'Map runs INLINE only: DISTRIBUTED mode, Iterator, ItemReader, ItemBatcher and ResultWriter are refused. ToleratedFailureCount and ToleratedFailurePercentage are evaluated and have no effect.',
  'Tasks reach Lambda (function ARN, lambda:invoke), events:putEvents, sns:publish and sqs:sendMessage, each also with .waitForTaskToken, and aws-sdk: of EventBridge, Lambda, Secrets Manager, SNS, SQS and Parameter Store. Activities, .sync, HTTP tasks and every other resource are refused.',
  'EXPRESS state machines, versions, aliases, RedriveExecution, TestState, StartSyncExecution, activities, map runs and encryptionConfiguration are refused.',
  'loggingConfiguration and tracingConfiguration are shown again as given: nothing is logged to CloudWatch Logs or traced by X-Ray.',
  'HeartbeatSeconds has an effect on tasks with a token only. It fails them with States.Timeout, as recorded, although AWS documents States.HeartbeatTimeout.',
  'Names of variables that nothing assigns are taken, as on AWS, and are a warning of ValidateStateMachineDefinition here.',
  'Further wording of InvalidDefinition, and the names of errors that the other services give through tasks, follow AWS where they are recorded or documented, and its pattern elsewhere.',
  'That a stopped or timed-out execution and the siblings of a failed branch leave TaskStateAborted, WaitStateAborted, MapIterationAborted and the like follows AWS’s documentation; it is not recorded.',
  'An expression is stopped after one second on the wall and 5,000 steps; AWS stops it after one second.',
  'The response headers in SdkHttpMetadata are fewer than on AWS.',
  'The role of a task’s Credentials is taken without asking whether the machine’s role may assume it. API calls are not throttled, and the number of state transitions is not limited.',
  'Executions and their history are kept in memory until the process ends.',
];
