import type { Rehearsal } from '../../local/rehearsal/rehearsal';

/** ARN of the execution that began last. */
export async function newestExecution({
  cloud,
  stateMachineArn,
}: Pick<Rehearsal, 'cloud' | 'stateMachineArn'>): Promise<string> {
  const { executions } = await cloud.call<{ executions: readonly { executionArn: string }[] }>(
    'sfn',
    'ListExecutions',
    { stateMachineArn, maxResults: 1 },
  );
  return executions[0]?.executionArn ?? '';
}
