import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { secretPolicyParameter } from '../domain/names';
import { isNamed } from './named';
import { promptly } from './promptly';

/** Reads the policy of one secret. */
export interface Policies {
  /** The parameter's text; undefined where there is none, which is a valid policy. */
  read(secretName: string): Promise<string | undefined>;
}

/** Makes a client for policy parameters alone, without the consumers beside them. */
export function policyParameters(): Policies {
  const client = new SSMClient(promptly);
  return {
    async read(secretName) {
      try {
        const answer = await client.send(
          new GetParameterCommand({ Name: secretPolicyParameter(secretName) }),
        );
        return answer.Parameter?.Value;
      } catch (error) {
        if (isNamed(error, 'ParameterNotFound')) return undefined;
        throw error;
      }
    },
  };
}
