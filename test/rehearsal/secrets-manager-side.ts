import { executionName } from '../../domain/names';
import type { Rehearsal } from '../../local/rehearsal/rehearsal';
import { eventually } from './eventually';
import { secretId } from './staged-rehearsal';

export const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/** What the rotation function answered: nothing, or the error by which Secrets Manager knows it. */
export interface Answer {
  readonly errorType?: string;
  readonly errorMessage?: string;
}

/** An execution as Step Functions describes it. */
interface Execution {
  readonly status: string;
  readonly cause?: string;
}

/** Asks Rotor what Secrets Manager asks it, at moments that a test chooses, and looks at what came of it. */
export class SecretsManagerSide {
  constructor(
    private readonly rehearsal: Rehearsal,
    readonly secretArn: string,
  ) {}

  /** Starts a rotation under a token of its own, and answers that. */
  async begin(): Promise<string> {
    const ClientRequestToken = crypto.randomUUID();
    await this.rehearsal.cloud.call('secretsmanager', 'RotateSecret', {
      SecretId: secretId,
      ClientRequestToken,
    });
    return ClientRequestToken;
  }

  /** Invokes the rotation function as Secrets Manager does. */
  async repeat(Step: (typeof steps)[number], token: string): Promise<Answer> {
    const { cloud } = this.rehearsal;
    const event = {
      Step,
      SecretId: this.secretArn,
      ClientRequestToken: token,
      RotationToken: crypto.randomUUID(),
    };
    const { FunctionError, Payload } = await cloud.call<{ FunctionError?: string; Payload: string }>(
      'lambda',
      'Invoke',
      { FunctionName: 'rotor-rotation', Payload: JSON.stringify(event) },
    );
    if (FunctionError === undefined) return {};
    return JSON.parse(Payload) as Answer;
  }

  /** Asks for a test without a rotation; answers its execution, which has ended. */
  async testAlone(): Promise<Execution> {
    const token = crypto.randomUUID();
    const { cloud } = this.rehearsal;
    await cloud.call('secretsmanager', 'RotateSecret', {
      SecretId: secretId,
      ClientRequestToken: token,
      RotateImmediately: false,
    });
    const name = this.nameOf(token, 1, 'test');
    await eventually('the test has ended', async () => this.hasEnded(name));
    // The temporary version goes when Secrets Manager has heard the outcome.
    await eventually('the temporary version is gone', async () => {
      const { VersionIdsToStages: stages } = await cloud.call<{ VersionIdsToStages: object }>(
        'secretsmanager',
        'DescribeSecret',
        { SecretId: secretId },
      );
      return !(token in stages);
    });
    return this.execution(name);
  }

  nameOf(token: string, attempt: number, mode: 'rotate' | 'test' = 'rotate'): string {
    return executionName(this.secretArn, token, attempt, mode);
  }

  arnOf(name: string): string {
    return `${this.rehearsal.stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  }

  /** Names of all executions whose names hold a text, oldest first. */
  async executions(holding = ''): Promise<readonly string[]> {
    const { executions } = await this.rehearsal.cloud.call<{ executions: { name: string }[] }>(
      'sfn',
      'ListExecutions',
      {
        stateMachineArn: this.rehearsal.stateMachineArn,
        maxResults: 1000,
      },
    );
    const names = executions.map(({ name }) => name);
    return names.filter((name) => name.includes(holding)).reverse();
  }

  async execution(name: string): Promise<Execution> {
    return this.rehearsal.cloud.call('sfn', 'DescribeExecution', { executionArn: this.arnOf(name) });
  }

  async hasEnded(name: string): Promise<boolean> {
    const execution = await this.execution(name).catch(() => undefined);
    return execution !== undefined && execution.status !== 'RUNNING';
  }
}
