import {
  type Command,
  ListCommandInvocationsCommand,
  ListCommandsCommand,
  SendCommandCommand,
  type SendCommandCommandInput,
  SSMClient,
  SSMServiceException,
} from '@aws-sdk/client-ssm';
import { type Clock, sleep } from '../../client/clock';
import type { SsmSettings } from './definition';

/** A command that was sent, as far as it is judged. */
export interface SentCommand {
  readonly commandId: string;
  readonly isEnded: boolean;
  /** AWS's StatusDetails, without spaces. */
  readonly details: string;
  /** How many nodes it goes to; 0 until they are found. */
  readonly targets: number;
  readonly requestedAt: number;
}

/** A command at one node. Its output is not read: it may hold anything. */
export interface CommandInvocation {
  readonly instanceId: string;
  /** AWS's StatusDetails, without spaces. */
  readonly details: string;
}

/**
 * How far back a command is looked for, in milliseconds: as long as an application may take for one version (a week is
 * the longest deadline of an enrolment). Lists cannot be asked for a comment, and an account may have many commands.
 */
const lookedBackMs = 604_800_000;

/** Pauses between looks for a command that was just sent: 7 s in all, and AWS gives no figure. */
const pausesMs = [50, 200, 750, 2_000, 4_000];

const endedStatuses: readonly (string | undefined)[] = ['Success', 'Failed', 'Cancelled', 'TimedOut'];

/** The SDK's clients, by the role of the function. */
export interface SsmClients {
  readonly listing: SSMClient;
  /** Not to be tried again by the SDK: where the answer was lost, a second request would run the command twice. */
  readonly sending: SSMClient;
}

/** Clients whose region and credentials are the SDK's own. */
export function defaultClients(): SsmClients {
  return {
    listing: new SSMClient({ customUserAgent: 'rotor' }),
    sending: new SSMClient({ customUserAgent: 'rotor', maxAttempts: 1 }),
  };
}

/** Run Command, for the settings' document and instances. */
export class Commands {
  /** What this process has sent or found last, so that lists need not be gone through for every look. */
  private last: { readonly comment: string; readonly commandId: string } | undefined;

  constructor(
    private readonly settings: SsmSettings,
    private readonly clients: SsmClients,
    private readonly clock: Clock,
  ) {}

  /**
   * The commands with this comment, newest first; undefined where none was sent. Empty where this process has sent one that
   * is not listed yet: Run Command is eventually consistent (AWS: ListCommandInvocations).
   */
  async find(comment: string, signal: AbortSignal): Promise<readonly SentCommand[] | undefined> {
    const found: SentCommand[] = [];
    for await (const command of this.listed(signal))
      if (command.Comment === comment) found.push(described(command));
    found.sort((a, b) => b.requestedAt - a.requestedAt);
    const { last } = this;
    if (last?.comment === comment && !found.some(({ commandId }) => commandId === last.commandId)) return [];
    const [newest] = found;
    if (newest === undefined) return undefined;
    this.last = { comment, commandId: newest.commandId };
    return found;
  }

  /** The newest command with this comment as far as this process knows; otherwise like `find`. */
  async recall(comment: string, signal: AbortSignal): Promise<readonly SentCommand[] | undefined> {
    if (this.last?.comment !== comment) return this.find(comment, signal);
    const { Commands: listed = [] } = await this.clients.listing.send(
      new ListCommandsCommand({ CommandId: this.last.commandId }),
      { abortSignal: signal },
    );
    return listed.map(described);
  }

  /**
   * Runs the document, and waits until lists show it, so that whoever looks for it next finds it. Where the answer is lost,
   * nobody knows whether it runs: then the same is waited for before this rejects, and a repeat can begin with `find`.
   * `earlier` is how many commands with this comment there were before.
   */
  async send(comment: string, earlier: number, signal: AbortSignal): Promise<void> {
    const command = new SendCommandCommand(this.request(comment));
    try {
      const { Command: sent } = await this.clients.sending.send(command, { abortSignal: signal });
      if (sent?.CommandId !== undefined) this.last = { comment, commandId: sent.CommandId };
    } catch (error) {
      const isRefused = error instanceof SSMServiceException && error.$fault === 'client';
      if (!isRefused) await this.untilListed(comment, earlier, signal).catch(() => undefined);
      throw error;
    }
    await this.untilListed(comment, earlier, signal);
  }

  /** What has become of a command at every node that it goes to. */
  async invocations(commandId: string, signal: AbortSignal): Promise<readonly CommandInvocation[]> {
    const found: CommandInvocation[] = [];
    let token: string | undefined;
    do {
      const { CommandInvocations = [], NextToken } = await this.clients.listing.send(
        new ListCommandInvocationsCommand({ CommandId: commandId, MaxResults: 50, NextToken: token }),
        { abortSignal: signal },
      );
      for (const { InstanceId = '', StatusDetails = '' } of CommandInvocations)
        found.push({ instanceId: InstanceId, details: withoutSpaces(StatusDetails) });
      token = NextToken;
    } while (token !== undefined && token !== '');
    return found;
  }

  private request(comment: string): SendCommandCommandInput {
    const { documentName, maxConcurrency, maxErrors, parameters, targets, timeoutSeconds } = this.settings;
    return {
      DocumentName: documentName,
      Parameters: parameters,
      Comment: comment,
      TimeoutSeconds: timeoutSeconds,
      ...('tags' in targets
        ? { Targets: Object.entries(targets.tags).map(([key, Values]) => ({ Key: `tag:${key}`, Values })) }
        : { InstanceIds: targets.instanceIds }),
      ...(maxConcurrency === undefined ? {} : { MaxConcurrency: maxConcurrency }),
      ...(maxErrors === undefined ? {} : { MaxErrors: maxErrors }),
    };
  }

  /** Ends when one more command with this comment is listed, or when that takes too long to be waited for. */
  private async untilListed(comment: string, earlier: number, signal: AbortSignal): Promise<void> {
    for (const pause of pausesMs) {
      await sleep(this.clock, pause, signal);
      const found = await this.find(comment, signal);
      if (found !== undefined && found.length > earlier) return;
    }
  }

  private async *listed(signal: AbortSignal): AsyncGenerator<Command> {
    const { documentName } = this.settings;
    const after = new Date(this.clock.now() - lookedBackMs).toISOString().replace(/\.\d+/, '');
    let token: string | undefined;
    do {
      const { Commands: page = [], NextToken } = await this.clients.listing.send(
        new ListCommandsCommand({
          Filters: [
            { key: 'InvokedAfter', value: after },
            // A shared document is listed by its ARN or by its name; AWS does not say which.
            ...(documentName.startsWith('arn:')
              ? []
              : [{ key: 'DocumentName' as const, value: documentName }]),
          ],
          MaxResults: 50,
          NextToken: token,
        }),
        { abortSignal: signal },
      );
      yield* page;
      token = NextToken;
    } while (token !== undefined && token !== '');
  }
}

function described(command: Command): SentCommand {
  const { CommandId = '', RequestedDateTime, Status, StatusDetails = '', TargetCount = 0 } = command;
  return {
    commandId: CommandId,
    isEnded: endedStatuses.includes(Status),
    details: withoutSpaces(StatusDetails),
    targets: TargetCount,
    requestedAt: RequestedDateTime?.getTime() ?? 0,
  };
}

/** AWS's guide writes `Delivery Timed Out` where its API answers `DeliveryTimedOut`. */
function withoutSpaces(details: string): string {
  return details.replaceAll(' ', '');
}
