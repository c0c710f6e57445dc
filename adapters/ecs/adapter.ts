import {
  DescribeServicesCommand,
  ECSClient,
  TagResourceCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { type Clock, systemClock } from '../../client/clock';
import type { Adapter, Progress, RolledOut } from '../adapter';
import { rollOutMark } from '../mark';
import type { EcsSettings } from './definition';
import { type LedgerEntry, ledgerKey, readEntry, writeEntry } from './ledger';
import { addressOf, type DescribedService, readService, type ServiceAddress } from './service';
import { isRollback, judge } from './verdict';

/**
 * How long tasks that shall stop may still be there when a deployment is COMPLETED, which does not count them: 30 s from
 * SIGTERM to SIGKILL unless the task says otherwise, and half a minute to spare. Behind a load balancer the target is
 * deregistered before, for which a target group takes 300 s unless it says otherwise.
 */
const settleSeconds = { alone: 60, balanced: 360 } as const;

/** Opens the adapter that replaces every task of a service. SettingsInvalid where the ARN is none of a service. */
export function openEcs(
  settings: EcsSettings,
  client = new ECSClient({ maxAttempts: 4 }),
  clock: Clock = systemClock,
): Adapter {
  return new EcsAdapter(settings, addressOf(settings.service), client, clock);
}

/**
 * Forces a new deployment of an Amazon ECS service, and waits until it is the only one.
 *
 * Tasks read their secrets when they start, so every task that starts after AWSCURRENT has moved runs on the new version.
 */
class EcsAdapter implements Adapter {
  /** The last look of this process that did not see a deployment complete. Only where it is lost does AWS's time decide. */
  private unsteady: { readonly deployment: string; readonly at: number } | undefined;
  /** What this process has written last: a read directly after it may still answer what was there before. */
  private written: { readonly key: string; readonly entry: LedgerEntry } | undefined;

  constructor(
    private readonly settings: EcsSettings,
    private readonly service: ServiceAddress,
    private readonly client: ECSClient,
    private readonly clock: Clock,
  ) {}

  /**
   * Three calls: a tag that says which deployment is PRIMARY, the new deployment, a tag that says which one that is. A
   * crash between any of them is seen by the next call from whether PRIMARY is another one by now.
   *
   * Two calls at the same moment may both see that it is not, and so deploy twice; the second deployment replaces the first.
   *
   * After a refusal it is deployed anew: what was refused has been told by then, and Rotor asks again only where a person has
   * decided so.
   */
  async begin(version: RolledOut, signal: AbortSignal): Promise<void> {
    const found = await this.describe(signal);
    const entry = this.entryOf(found, version);
    if (entry?.begun !== undefined && this.judge(found, entry).state !== 'refused') return;
    const mark = rollOutMark(version);
    const isOpen = entry !== undefined && entry.begun === undefined;
    const before = isOpen ? entry.before : idOf(found.primary);
    if (!isOpen) await this.write(version, { mark, before, begun: undefined }, signal);
    const id = begunSince(found, before) ?? (await this.deploy(signal));
    await this.write(version, { mark, before, begun: { id, at: this.clock.now() } }, signal);
  }

  /** Done when the last task from before has had its time to stop, too. */
  async look(version: RolledOut, signal: AbortSignal): Promise<Progress> {
    const found = await this.describe(signal);
    const entry = this.entryOf(found, version);
    // Not begun, or the tag is not to be seen yet.
    if (entry?.begun === undefined) return { state: 'working' };
    const progress = this.judge(found, entry);
    if (progress.state === 'working')
      this.unsteady = { deployment: idOf(found.primary), at: this.clock.now() };
    return progress.state === 'done' && this.clock.now() < this.settledAt(found)
      ? { state: 'working' }
      : progress;
  }

  private entryOf(found: DescribedService, version: RolledOut): LedgerEntry | undefined {
    const read = readEntry(found.tags, version);
    const { key, entry } = this.written ?? {};
    if (entry?.begun === undefined || key !== ledgerKey(version) || entry.mark !== rollOutMark(version))
      return read;
    return (read?.begun?.at ?? 0) > entry.begun.at ? read : entry;
  }

  private judge(found: DescribedService, entry: LedgerEntry): Progress {
    return judge(found, entry, { mostFailedTasks: this.settings.failedTasks, now: this.clock.now() });
  }

  /** Amazon ECS changes `updatedAt` when a deployment is completed; that was observed, its documents do not say it. */
  private settledAt({ primary, isBalanced }: DescribedService): number {
    const unsteadyAt = this.unsteady?.deployment === idOf(primary) ? this.unsteady.at : 0;
    const seconds = this.settings.settleSeconds ?? settleSeconds[isBalanced ? 'balanced' : 'alone'];
    return Math.max(primary.updatedAt?.getTime() ?? 0, unsteadyAt) + seconds * 1_000;
  }

  private async describe(signal: AbortSignal): Promise<DescribedService> {
    const { cluster, name } = this.service;
    const { services = [] } = await this.client.send(
      new DescribeServicesCommand({ cluster, services: [name], include: ['TAGS'] }),
      { abortSignal: signal },
    );
    return readService(services[0], this.service);
  }

  /** Returns the new deployment's id. */
  private async deploy(signal: AbortSignal): Promise<string> {
    const { cluster, name } = this.service;
    const { service } = await this.client.send(
      new UpdateServiceCommand({ cluster, service: name, forceNewDeployment: true }),
      { abortSignal: signal },
    );
    return idOf(readService(service, this.service).primary);
  }

  private async write(version: RolledOut, entry: LedgerEntry, signal: AbortSignal): Promise<void> {
    await this.client.send(
      new TagResourceCommand({
        resourceArn: this.service.arn,
        tags: [{ key: ledgerKey(version), value: writeEntry(entry) }],
      }),
      { abortSignal: signal },
    );
    this.written = { key: ledgerKey(version), entry };
  }
}

/**
 * The deployment that was begun and whose id nobody heard; undefined where there is none, or where nobody can tell.
 *
 * A PRIMARY that is complete may be it, or what Amazon ECS has put in its place when it rolled back, with tasks from before:
 * then another deployment is the safe way.
 */
function begunSince({ primary, others }: DescribedService, before: string): string | undefined {
  if (idOf(primary) === before) return undefined;
  // What failed before that one is what this roll-out was refused for.
  const since = others.find(({ id }) => id === before)?.createdAt?.getTime() ?? 0;
  const failed = others.find(
    ({ id, rolloutState, createdAt }) =>
      id !== before && rolloutState === 'FAILED' && (createdAt?.getTime() ?? 0) >= since,
  );
  if (failed !== undefined) return idOf(failed);
  return primary.rolloutState === 'COMPLETED' || isRollback(primary.rolloutStateReason)
    ? undefined
    : idOf(primary);
}

function idOf({ id }: { readonly id?: string | undefined }): string {
  return id ?? 'unknown';
}
