import type { ChangeCalendars } from '../aws/change-calendars';
import type { Executions } from '../aws/executions';
import { isNamed } from '../aws/named';
import type { Policies } from '../aws/policies';
import { mostAttempts } from '../domain/attempts';
import { ChangeCalendarClosed, LastRotationOpen } from '../domain/errors';
import { heldVersion, versionWith, type Labels } from '../domain/labels';
import { executionName, secretNameOf, secretPolicyParameter } from '../domain/names';
import { parsePolicy, type Policy } from '../domain/policy';
import type { GroupTurns } from './group-turns';
import { log } from './task';

/** One attempt at a rotation, before its execution is started. */
export interface Attempt {
  readonly execution: string;
  readonly secretArn: string;
  readonly token: string;
  /** 1 for the first. */
  readonly number: number;
  readonly labels: Labels;
}

/**
 * Asks whether an attempt may begin. Answers until when its execution may be started, in milliseconds since the epoch;
 * undefined where that is not limited. ChangeCalendarClosed, ChangeCalendarUnreadable, GroupBusy, LastRotationOpen.
 */
export type Ask = (attempt: Attempt) => Promise<number | undefined>;

/** What permission is asked of. */
export interface PermissionPorts {
  readonly policies: Policies;
  readonly calendars: ChangeCalendars;
  readonly turns: Pick<GroupTurns, 'take'>;
  readonly executions: Pick<Executions, 'describe'>;
}

/**
 * Decides whether a rotation may begin now, before anything is started: the policy's change calendars are open, its group
 * is free, and the rotation before has come to its end.
 *
 * What has begun is not held up any more: an execution that exists asks nobody, and calendars are asked for the first
 * attempt alone, since one that died may have left the target between two credentials. A compromised credential waits
 * for nothing. A policy that is not valid lets the workflow begin, whose Plan refuses it with an alert.
 */
export class PermissionToBegin {
  constructor(private readonly ports: PermissionPorts) {}

  /** Reads the policy of a secret once, and asks by it for each attempt. */
  async of(secretArn: string): Promise<Ask> {
    const policy = await this.policyOf(secretNameOf(secretArn));
    return policy === undefined ? async () => undefined : (attempt) => this.ask(policy, attempt);
  }

  private async policyOf(name: string): Promise<Policy | undefined> {
    const text = await this.ports.policies.read(name);
    try {
      return parsePolicy(text, `parameter ${secretPolicyParameter(name)}`);
    } catch (error) {
      if (isNamed(error, 'PolicyInvalid')) return undefined;
      throw error;
    }
  }

  private async ask(policy: Policy, attempt: Attempt): Promise<number | undefined> {
    const { group } = policy;
    const urgent = policy.urgency === 'compromised';
    const mayWait = attempt.number === 1 && !urgent;
    const calendars = mayWait ? policy.changeCalendars : [];
    const last = mayWait ? await this.openRotationOf(attempt) : undefined;
    if (last === undefined && calendars.length === 0 && group === undefined) return undefined;
    if ((await this.ports.executions.describe(attempt.execution)) !== undefined) return undefined;
    if (last !== undefined)
      throw new LastRotationOpen(
        `execution ${last}, which made the value in use of ${attempt.secretArn}, has not ended`,
      );
    if (calendars.length > 0) await this.askCalendars(calendars, attempt);
    if (group === undefined) return undefined;
    if (!urgent) return await this.ports.turns.take(group, attempt, false);
    await this.tell(group, attempt);
    return undefined;
  }

  /**
   * The execution that made AWSCURRENT's version and has not ended, if any: that version's id is its token. Where a
   * version is held, Plan refuses, and says so in an alert.
   */
  private async openRotationOf({ secretArn, labels }: Attempt): Promise<string | undefined> {
    const current = versionWith(labels, 'AWSCURRENT');
    if (current === undefined || heldVersion(labels) !== undefined) return undefined;
    for (let number = 1; number <= mostAttempts; number++) {
      const name = executionName(secretArn, current, number, 'rotate');
      const execution = await this.ports.executions.describe(name);
      if (execution?.status === 'RUNNING') return name;
      // An attempt follows only upon one that ended badly.
      if (execution === undefined || execution.status === 'SUCCEEDED') return undefined;
    }
    return undefined;
  }

  private async askCalendars(names: readonly string[], { secretArn }: Attempt): Promise<void> {
    const { open, until } = await this.ports.calendars.ask(names);
    if (open) return;
    const change = until === undefined ? 'no end of that is planned' : `the next change is at ${until}`;
    throw new ChangeCalendarClosed(
      `a change calendar of ${secretArn} is closed (${names.join(', ')}), ${change}; Secrets Manager asks again while its rotation window is open`,
    );
  }

  /** Lets the group know of a rotation that does not wait for it; nothing that goes wrong here holds that up. */
  private async tell(group: NonNullable<Policy['group']>, attempt: Attempt): Promise<void> {
    try {
      await this.ports.turns.take(group, attempt, true);
    } catch (error) {
      log('warn', 'the group was not told of an urgent rotation', {
        secretArn: attempt.secretArn,
        error: error instanceof Error ? error.name : 'unknown',
      });
    }
  }
}
