import { createHash } from 'node:crypto';
import { type Clock, systemClock } from '../../client/clock';
import type { Adapter, Progress, RolledOut } from '../adapter';
import { Commands, defaultClients, type SentCommand, type SsmClients } from './commands';
import type { SsmSettings } from './definition';
import { verdictOf } from './verdict';

/** Runs the settings' command on their instances, once for each version of one rotation. */
export function openSsm(
  settings: SsmSettings,
  clients: SsmClients = defaultClients(),
  clock: Clock = systemClock,
): Adapter {
  return new RunCommand(settings, new Commands(settings, clients, clock));
}

/**
 * A command for a version: not sent → running → done, or refused.
 *
 * SendCommand takes no token that would make it idempotent, so the comment says what a command is for, and a command with that
 * comment is looked for before one is sent. One that was refused is sent anew by the next `begin`: after a refusal Rotor asks
 * again only where a person has decided so, and nothing else would make that decision come true.
 */
class RunCommand implements Adapter {
  constructor(
    private readonly settings: SsmSettings,
    private readonly commands: Commands,
  ) {}

  async begin(version: RolledOut, signal: AbortSignal): Promise<void> {
    const comment = commentOf(version);
    const sent = await this.commands.find(comment, signal);
    if (sent !== undefined && (await this.judge(sent, signal)).state !== 'refused') return;
    await this.commands.send(comment, sent?.length ?? 0, signal);
  }

  async look(version: RolledOut, signal: AbortSignal): Promise<Progress> {
    const sent = await this.commands.recall(commentOf(version), signal);
    return sent === undefined ? { state: 'working' } : this.judge(sent, signal);
  }

  private async judge(sent: readonly SentCommand[], signal: AbortSignal): Promise<Progress> {
    const [newest] = sent;
    // Just sent and not listed yet, or one of them still runs.
    if (newest === undefined || sent.some(({ isEnded }) => !isEnded)) return { state: 'working' };
    const invocations = await this.commands.invocations(newest.commandId, signal);
    return verdictOf(newest, invocations, this.settings);
  }
}

/**
 * What a command is for. Another application's command for the same version is another one, and so is that of a rotation
 * which comes back to a version: AWS takes 100 characters, a version id has 64 at the most.
 */
function commentOf({ consumer, secret, rotationId, versionId }: RolledOut): string {
  const who = JSON.stringify([consumer, secret.arn, rotationId]);
  return `rotor ${versionId} ${createHash('sha256').update(who).digest('hex').slice(0, 24)}`;
}
