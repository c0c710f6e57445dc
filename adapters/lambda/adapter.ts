import {
  type AliasConfiguration,
  type FunctionConfiguration,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { type Clock, sleep, systemClock } from '../../client/clock';
import type { Adapter, Progress, RolledOut } from '../adapter';
import { failureOf } from '../failures';
import { rollOutMark } from '../mark';
import { changedAt, differences, hasFailed, isApplied, variablesOf } from './configuration';
import type { LambdaSettings } from './definition';
import { AliasWeighted, LatestDiffers, UpdateFailed } from './errors';

/** Between two steps of a roll-out that waits for Lambda. */
const stepMs = 1_000;

/**
 * Lambda says when a configuration was changed, not when it was applied or when the alias was moved; that takes so long
 * at most, as a rule.
 */
const applyingMs = 60_000;

/** Somebody else changed the function meanwhile, or Lambda is not done with a change: look again, and then do it. */
const changedMeanwhile: ReadonlySet<string> = new Set([
  'PreconditionFailedException',
  'ResourceConflictException',
]);

const latestVersion = '$LATEST';

/** Opens the adapter that gives a function new environments. */
export function openLambda(
  settings: LambdaSettings,
  client = new LambdaClient({ maxAttempts: 4 }),
  clock: Clock = systemClock,
): Adapter {
  return new LambdaAdapter(settings, client, clock);
}

/** What one `begin` knows of itself. */
interface Asking {
  readonly mark: string;
  /** It found that callers did not get the change yet. */
  isNeeded: boolean;
  /** It has changed the variable. */
  isUpdated: boolean;
}

/**
 * Changes an environment variable of a function, so that every invocation that begins afterwards runs in a new
 * environment, and moves the alias, where there is one, to a version that has the change.
 */
class LambdaAdapter implements Adapter {
  /**
   * Until when, at the latest, this process has made callers get the change. Lambda does not say when an alias was moved, so
   * where the process is lost it is taken to be when the version was published.
   */
  private moved: { readonly mark: string; readonly at: number } | undefined;

  constructor(
    private readonly settings: LambdaSettings,
    private readonly client: LambdaClient,
    private readonly clock: Clock,
  ) {}

  /**
   * Goes on step by step from what is there, until callers get the change: variable, version, alias. Every step is
   * conditional on what was read (RevisionId), so that no change of the team's is lost, and two at once do no harm.
   */
  async begin(version: RolledOut, signal: AbortSignal): Promise<void> {
    const asking: Asking = { mark: rollOutMark(version), isNeeded: false, isUpdated: false };
    try {
      while (!(await this.advance(asking, signal))) await sleep(this.clock, stepMs, signal);
    } finally {
      // Also where the answer was lost: the alias may have been moved.
      if (asking.isNeeded) this.moved = { mark: asking.mark, at: this.clock.now() };
    }
  }

  /** Done when the last invocation in an old environment has ended: the function's timeout after the change. */
  async look(version: RolledOut, signal: AbortSignal): Promise<Progress> {
    const mark = rollOutMark(version);
    const { served } = await this.served(signal);
    try {
      if (this.markOf(served) !== mark) {
        if (served.Version !== latestVersion) await this.assertUnfailed(mark, signal);
        return { state: 'working' };
      }
      if (!isApplied(served)) return { state: 'working' };
    } catch (error) {
      if (!(error instanceof UpdateFailed)) throw error;
      return { state: 'refused', reason: `${error.name}: ${error.message}` };
    }
    const movedAt = this.moved?.mark === mark ? this.moved.at : 0;
    const settledAt = Math.max(changedAt(served) + applyingMs, movedAt) + (served.Timeout ?? 0) * 1_000;
    return { state: this.clock.now() < settledAt ? 'working' : 'done' };
  }

  /** UpdateFailed where the change ended at $LATEST, so that no alias is moved. */
  private async assertUnfailed(mark: string, signal: AbortSignal): Promise<void> {
    const latest = await this.configuration(latestVersion, signal);
    if (this.markOf(latest) === mark && hasFailed(latest)) isApplied(latest);
  }

  /**
   * Does the next step; true when there is none left.
   *
   * A change that has failed is made once more: what was refused has been told by then, and Rotor asks again only where a
   * person has decided so. Where this one fails too, `look` tells it.
   */
  private async advance(asking: Asking, signal: AbortSignal): Promise<boolean> {
    const { mark } = asking;
    const { alias, served } = await this.served(signal);
    const publishes = served.Version !== latestVersion;
    if (this.markOf(served) === mark && (publishes || !hasFailed(served))) return true;
    asking.isNeeded = true;
    const latest = publishes ? await this.configuration(latestVersion, signal) : served;
    if (publishes) this.assertPublishable(alias, latest, served);
    const isMarked = this.markOf(latest) === mark;
    if (isMarked && hasFailed(latest) && asking.isUpdated) return true;
    if (!isMarked || hasFailed(latest)) {
      // A failed update of somebody else's is no reason not to begin; one that is under way is, for a moment.
      if (latest.LastUpdateStatus === 'InProgress' || latest.State === 'Pending') return false;
      asking.isUpdated = await this.attempt(() => this.update(latest, mark, signal));
      return asking.isUpdated && !publishes;
    }
    if (!isApplied(latest)) return false;
    return this.attempt(async () => {
      const published = await this.publish(latest, signal);
      if (!isApplied(published)) return false;
      await this.moveAlias(alias, published, signal);
      return true;
    });
  }

  /** False where the change has to be made again on what is there now. */
  private async attempt(change: () => Promise<boolean>): Promise<boolean> {
    try {
      return await change();
    } catch (error) {
      if (changedMeanwhile.has(failureOf(error).name)) return false;
      throw error;
    }
  }

  private assertPublishable(
    alias: AliasConfiguration | undefined,
    latest: FunctionConfiguration,
    served: FunctionConfiguration,
  ): void {
    const name = alias?.Name ?? '';
    if (Object.keys(alias?.RoutingConfig?.AdditionalVersionWeights ?? {}).length > 0)
      throw new AliasWeighted(`alias ${name} divides its callers between two versions`);
    const differing = differences(latest, served, this.settings.variable);
    if (differing.length > 0)
      throw new LatestDiffers(
        `$LATEST is not what alias ${name} serves (${differing.join(', ')}); publish it, or take it back`,
      );
  }

  private markOf(configuration: FunctionConfiguration): string | undefined {
    return variablesOf(configuration)[this.settings.variable];
  }

  /** What callers get: $LATEST, or the version that the alias names. */
  private async served(
    signal: AbortSignal,
  ): Promise<{ readonly alias: AliasConfiguration | undefined; readonly served: FunctionConfiguration }> {
    const { alias: name } = this.settings;
    if (name === undefined)
      return { alias: undefined, served: await this.configuration(latestVersion, signal) };
    const alias = await this.client.send(
      new GetAliasCommand({ FunctionName: this.settings.function, Name: name }),
      { abortSignal: signal },
    );
    return { alias, served: await this.configuration(alias.FunctionVersion ?? latestVersion, signal) };
  }

  private configuration(version: string, signal: AbortSignal): Promise<FunctionConfiguration> {
    return this.client.send(
      new GetFunctionConfigurationCommand({
        FunctionName: this.settings.function,
        ...(version === latestVersion ? {} : { Qualifier: version }),
      }),
      { abortSignal: signal },
    );
  }

  private async update(latest: FunctionConfiguration, mark: string, signal: AbortSignal): Promise<boolean> {
    await this.client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: this.settings.function,
        RevisionId: latest.RevisionId,
        Environment: { Variables: { ...variablesOf(latest), [this.settings.variable]: mark } },
      }),
      { abortSignal: signal },
    );
    return true;
  }

  /** Publishes $LATEST; where nothing has changed since the last version, Lambda answers that one. */
  private publish(latest: FunctionConfiguration, signal: AbortSignal): Promise<FunctionConfiguration> {
    return this.client.send(
      new PublishVersionCommand({
        FunctionName: this.settings.function,
        RevisionId: latest.RevisionId,
        CodeSha256: latest.CodeSha256,
      }),
      { abortSignal: signal },
    );
  }

  private async moveAlias(
    alias: AliasConfiguration | undefined,
    published: FunctionConfiguration,
    signal: AbortSignal,
  ): Promise<void> {
    await this.client.send(
      new UpdateAliasCommand({
        FunctionName: this.settings.function,
        Name: alias?.Name,
        FunctionVersion: published.Version,
        RevisionId: alias?.RevisionId,
      }),
      { abortSignal: signal },
    );
  }
}
