import type { TaskState } from './definition';
import type { StateFailure } from './failure';
import { timeout } from './failure';
import type { Json } from './json';
import type { Integration } from './task-port';
import type { Visit } from './visit';

/** The events that one attempt of a task leaves in the history, in this order. */
export interface TaskEvents {
  readonly scheduled: (
    input: Json,
    timeoutSeconds?: number,
    heartbeatSeconds?: number,
    roleArn?: string,
  ) => void;
  readonly started: () => void;
  readonly submitted: (output: Json) => void;
  readonly succeeded: (output: Json) => void;
  readonly failed: (failure: StateFailure) => void;
}

/** Records a task's events under the names and with the details of its kind of resource. */
export function taskEvents(visit: Visit<TaskState>, integration: Integration): TaskEvents {
  const limits = (timeoutSeconds?: number, heartbeatSeconds?: number) => ({
    ...(timeoutSeconds === undefined ? {} : { timeoutInSeconds: timeoutSeconds }),
    ...(heartbeatSeconds === undefined ? {} : { heartbeatInSeconds: heartbeatSeconds }),
  });
  const credentials = (roleArn?: string) => (roleArn === undefined ? {} : { taskCredentials: { roleArn } });
  const output = (value: Json) => ({ output: JSON.stringify(value), outputDetails: { truncated: false } });
  const reason = ({ error, reason: cause }: StateFailure) => ({
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
  });
  if (integration.kind === 'function')
    return {
      scheduled: (input, timeoutSeconds, _heartbeat, roleArn) =>
        visit.record('LambdaFunctionScheduled', {
          lambdaFunctionScheduledEventDetails: {
            resource: integration.arn,
            input: JSON.stringify(input),
            inputDetails: { truncated: false },
            ...limits(timeoutSeconds),
            ...credentials(roleArn),
          },
        }),
      started: () => visit.record('LambdaFunctionStarted'),
      submitted: () => undefined,
      succeeded: (value) =>
        visit.record('LambdaFunctionSucceeded', { lambdaFunctionSucceededEventDetails: output(value) }),
      failed: (failure) =>
        failure.error === timeout
          ? visit.record('LambdaFunctionTimedOut', { lambdaFunctionTimedOutEventDetails: reason(failure) })
          : visit.record('LambdaFunctionFailed', { lambdaFunctionFailedEventDetails: reason(failure) }),
    };
  const { resourceType, resource } = integration;
  const of = { resourceType, resource };
  let submitted = false;
  return {
    scheduled: (input, timeoutSeconds, heartbeatSeconds, roleArn) =>
      visit.record('TaskScheduled', {
        taskScheduledEventDetails: {
          ...of,
          region: visit.machinery.region,
          parameters: JSON.stringify(input),
          ...limits(timeoutSeconds, heartbeatSeconds),
          ...credentials(roleArn),
        },
      }),
    started: () => visit.record('TaskStarted', { taskStartedEventDetails: of }),
    submitted: (value) => {
      submitted = true;
      visit.record('TaskSubmitted', { taskSubmittedEventDetails: { ...of, ...output(value) } });
    },
    succeeded: (value) =>
      visit.record('TaskSucceeded', { taskSucceededEventDetails: { ...of, ...output(value) } }),
    failed: (failure) => {
      const details = { ...of, ...reason(failure) };
      if (failure.error === timeout) visit.record('TaskTimedOut', { taskTimedOutEventDetails: details });
      // A task with a token that could not even be handed over has an event of its own.
      else if (integration.waitsForToken && !submitted)
        visit.record('TaskSubmitFailed', { taskSubmitFailedEventDetails: details });
      else visit.record('TaskFailed', { taskFailedEventDetails: details });
    },
  };
}
