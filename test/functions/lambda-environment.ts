import type { Invocation } from '../../functions/task';

/**
 * What the Lambda runtime and the infrastructure set before a function's module is loaded; import this file first.
 * The endpoint follows when the fake of AWS listens: the SDK reads it at the first call.
 */
Object.assign(process.env, {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  STATE_MACHINE_ARN: 'arn:aws:states:eu-central-1:111122223333:stateMachine:rotor-rotation',
  ALERT_TOPIC_ARN: 'arn:aws:sns:eu-central-1:111122223333:rotor-alerts',
  RUNBOOK_URL: 'https://example.org/errors.md',
});

/** The context of one invocation with a minute left. */
export function lambdaContext(functionName: string, remainingMs = 60_000): Invocation {
  return {
    invokedFunctionArn: `arn:aws:lambda:eu-central-1:111122223333:function:${functionName}`,
    getRemainingTimeInMillis: () => remainingMs,
  };
}
