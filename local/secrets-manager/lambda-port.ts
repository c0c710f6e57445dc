import { ServiceError, type Surroundings } from '../kernel/service';
import type { RotationFunctions, StepError } from './rotation-driver';

/**
 * Reaches rotation functions through the embedded Lambda, as the service principal, under the function's policy.
 *
 * The two conditions are those that AWS sends: the secret's account and its ARN. A permission without a source account
 * passes too; a wrong one does not.
 */
export function lambdaRotationFunctions(
  surroundings: Pick<Surroundings, 'account' | 'partition' | 'callService'>,
): RotationFunctions {
  const { account, callService, partition } = surroundings;
  const callFor = (secretArn: string) => ({
    principal: { kind: 'service', service: 'secretsmanager.amazonaws.com', account } as const,
    conditions: { 'aws:SourceAccount': account, 'aws:SourceArn': secretArn },
  });
  return {
    async mayInvoke(functionArn, secretArn) {
      try {
        const input = { FunctionName: functionArn, InvocationType: 'DryRun' };
        await callService('lambda', 'Invoke', input, callFor(secretArn));
        return true;
      } catch (error) {
        // AWS answers the same for a function that does not exist as for one that it may not invoke.
        if (error instanceof ServiceError) return false;
        throw error;
      }
    },
    async roleOf(functionArn) {
      const operator = { kind: 'operator', arn: `arn:${partition}:iam::${account}:root`, account } as const;
      try {
        const answer = await callService(
          'lambda',
          'GetFunctionConfiguration',
          { FunctionName: functionArn },
          { principal: operator },
        );
        return 'Role' in answer && typeof answer.Role === 'string' ? answer.Role : undefined;
      } catch (error) {
        if (error instanceof ServiceError) return undefined;
        throw error;
      }
    },
    async invoke(functionArn, secretArn, event) {
      const answer = await callService(
        'lambda',
        'Invoke',
        {
          FunctionName: functionArn,
          InvocationType: 'RequestResponse',
          Payload: JSON.stringify(event),
        },
        callFor(secretArn),
      );
      return functionError(answer);
    },
  };
}

function functionError(answer: object): StepError | undefined {
  if (!('FunctionError' in answer) || typeof answer.FunctionError !== 'string') return undefined;
  const text = 'Payload' in answer && typeof answer.Payload === 'string' ? answer.Payload : '{}';
  try {
    const payload: unknown = JSON.parse(text);
    if (typeof payload === 'object' && payload !== null)
      return {
        type: member(payload, 'errorType') ?? 'Error',
        message: member(payload, 'errorMessage') ?? '',
      };
  } catch {
    // Not JSON: a runtime that died mid-sentence; the name of the failure is all there is.
  }
  return { type: answer.FunctionError, message: '' };
}

function member(payload: object, name: string): string | undefined {
  const found: unknown = Object.entries(payload).find(([key]) => key === name)?.[1];
  return typeof found === 'string' ? found : undefined;
}
