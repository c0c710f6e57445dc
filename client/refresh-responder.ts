import { Acknowledger, type Answer } from './acknowledger';
import { abortable, type Clock, sleep, systemClock } from './clock';
import { type OnClientEvent, quietly } from './client-event';
import { errorLabel, OptionInvalid, ProofFailed, RequestForeign } from './errors';
import { defaultEventBridge, type EventBridgePort } from './ports';
import { parseRefreshRequest, type RefreshRequest } from './refresh-request';
import type { Loaded } from './rotating-secret';

/** What a responder needs of a `RotatingSecret`, whatever its value is. */
export interface Loadable {
  readonly maxAgeMs: number;
  load(): Promise<Loaded>;
  verify(versionId: string): Promise<void>;
  identity(): Promise<{ readonly arn: string; readonly name: string }>;
}

/** Who answers, about which secret, and how. */
export interface RefreshResponderOptions {
  /** The name under which the application is enrolled with Rotor. */
  readonly consumer: string;
  readonly secret: Loadable;
  /**
   * How many instances of the application there are. `one` allows to answer as soon as this instance has loaded the
   * version; with `many`, the default, an answer speaks for all of them and waits.
   */
  readonly instances?: 'one' | 'many';
  /**
   * How long to wait between the first look that found a version and its acknowledgement. The secret's
   * `maxAgeSeconds` by default, and no less; 0 by default where there is one instance.
   */
  readonly settleSeconds?: number;
  /** `rotor` by default; the bus's ARN where it belongs to another account or region. */
  readonly busName?: string;
  readonly eventBridge?: EventBridgePort;
  readonly clock?: Clock;
  readonly on?: OnClientEvent;
}

/** How a request ended, and with which version. */
export interface Answered {
  readonly outcome: 'loaded' | 'refused';
  readonly versionId: string;
}

/** So many tokens and versions are remembered; a rotation has a handful. */
const remembered = 200;

/**
 * Answers Rotor's refresh requests for one consumer and one secret.
 *
 * A request is a hint: whatever version it names, what AWSCURRENT names now is loaded, proved, served and
 * acknowledged. A repeated delivery (same token) is answered once. A reminder (new token) is answered as soon as the
 * version is settled, without proving again what was proved.
 */
export class RefreshResponder {
  readonly consumer: string;
  /** What `loaded` waits for at the longest, beside the application's own proof. */
  readonly settleMs: number;
  private readonly secret: Loadable;
  private readonly clock: Clock;
  private readonly on: OnClientEvent;
  private readonly acknowledger: Acknowledger;
  private readonly answers = new Map<string, Promise<Answered>>();
  private readonly knownSince = new Map<string, number>();

  constructor(options: RefreshResponderOptions) {
    this.consumer = options.consumer;
    this.secret = options.secret;
    this.clock = options.clock ?? systemClock;
    this.on = quietly(options.on);
    const least = options.instances === 'one' ? 0 : options.secret.maxAgeMs;
    this.settleMs = options.settleSeconds === undefined ? least : options.settleSeconds * 1_000;
    if (!(this.settleMs >= least))
      throw new OptionInvalid(
        `settleSeconds is below the secret's maxAgeSeconds (${least / 1_000}), so that an acknowledgement would ` +
          "not speak for all instances; raise it, or state instances: 'one'",
      );
    this.acknowledger = new Acknowledger(
      options.eventBridge ?? defaultEventBridge(options.busName),
      options.busName ?? 'rotor',
      this.clock,
    );
  }

  /**
   * Takes a request as an event or as its JSON text, and ends when the answer is put.
   *
   * A refusal by the application is an answer, not an error. Errors: RequestMalformed and RequestForeign, which no
   * repeat mends; SecretUnavailable, SecretUnreadable and AcknowledgementFailed, after which the same request can be
   * handed in again. After an error nothing was acknowledged but `working`.
   */
  async handleRefreshRequest(
    event: unknown,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Answered> {
    const request = parseRefreshRequest(event);
    await abortable(this.checkAddress(request), options.signal);
    const { taskToken } = request;
    if (taskToken === undefined) return this.follow(request, options.signal);
    const earlier = this.answers.get(taskToken);
    if (earlier !== undefined) return abortable(earlier, options.signal);
    const answer = this.answer({ ...request, taskToken }, options.signal);
    remember(this.answers, taskToken, answer);
    // A request that failed may be handed in again.
    answer.catch(() => this.answers.delete(taskToken));
    return answer;
  }

  private async checkAddress({ consumer, secret }: RefreshRequest): Promise<void> {
    if (consumer !== this.consumer)
      throw new RequestForeign(`the request is for consumer ${consumer}, not ${this.consumer}`);
    const own = await this.secret.identity();
    if (withoutRegion(own.arn) !== withoutRegion(secret.arn))
      throw new RequestForeign(`the request is about secret ${secret.name}, not ${own.name}`);
  }

  private async answer(
    request: RefreshRequest & { readonly taskToken: string },
    signal: AbortSignal | undefined,
  ): Promise<Answered> {
    const put = async (answer: Answer) => {
      await this.acknowledger.acknowledge(request, answer, signal);
      const { outcome, versionId } = answer;
      this.on({ type: 'acknowledged', outcome, versionId });
      return { outcome, versionId };
    };
    const stopHeartbeats = this.beat(request, () =>
      put({ outcome: 'working', versionId: request.versionId }),
    );
    let answer:
      { outcome: 'loaded'; versionId: string } | { outcome: 'refused'; versionId: string; reason: string };
    try {
      answer = await this.follow(request, signal);
    } catch (error) {
      if (!(error instanceof ProofFailed)) throw error;
      this.on({ type: 'proof-failed', versionId: error.versionId, reason: error.reason });
      answer = { outcome: 'refused', versionId: error.versionId, reason: error.reason };
    } finally {
      stopHeartbeats();
    }
    await put(answer);
    return { outcome: answer.outcome, versionId: answer.versionId };
  }

  private async follow(
    request: RefreshRequest,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly outcome: 'loaded'; readonly versionId: string }> {
    const { phase, versionId } = request;
    if (phase === 'load') return this.settle(request, signal);
    // One instance speaks for the others: they share the way to the target, and nothing is served yet.
    await abortable(this.secret.verify(versionId), signal);
    return { outcome: 'loaded', versionId };
  }

  /** Loads, and waits until no instance hands out an older version; looks once more after waiting. */
  private async settle(
    request: RefreshRequest,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly outcome: 'loaded'; readonly versionId: string }> {
    for (;;) {
      const { versionId, knownAt } = await abortable(this.secret.load(), signal);
      // Per rotation: between two of them the label may have been elsewhere, unseen by this instance.
      const key = `${request.rotationId}\n${versionId}`;
      const since = this.knownSince.get(key) ?? knownAt;
      if (!this.knownSince.has(key)) remember(this.knownSince, key, since);
      const restMs = since + this.settleMs - this.clock.now();
      if (restMs <= 0) return { outcome: 'loaded', versionId };
      await sleep(this.clock, restMs, signal);
    }
  }

  /**
   * Says `working` before half of the time that Rotor waits has passed, again and again: each restarts that time. The
   * length of the wait is taken from the request, where both ends are by Rotor's clock.
   */
  private beat(request: RefreshRequest, say: () => Promise<unknown>): () => void {
    const { deadline, askedAt } = request;
    if (deadline === undefined) return () => undefined;
    const wholeMs = Math.max(0, deadline - askedAt);
    const restMs = deadline - this.clock.now();
    const shareMs = (ms: number) => Math.max(250, ms * 0.4);
    const beatOnce = () => {
      timer = this.clock.after(shareMs(wholeMs), beatOnce);
      say().catch((error: unknown) => this.on({ type: 'acknowledgement-failed', error: errorLabel(error) }));
    };
    let timer = this.clock.after(shareMs(restMs > 0 ? Math.min(restMs, wholeMs) : wholeMs), beatOnce);
    return () => timer.cancel();
  }
}

/** A replica has its primary's ARN but for the region. */
function withoutRegion(arn: string): string {
  return arn
    .split(':')
    .filter((_, index) => index !== 3)
    .join(':');
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= remembered) return;
    map.delete(oldest);
  }
}
