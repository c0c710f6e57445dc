import { Acknowledger, type Answer } from '../client/acknowledger';
import { type Clock, systemClock, withTimeLimit } from '../client/clock';
import { errorLabel, RequestForeign } from '../client/errors';
import type { LambdaContext } from '../client/lambda-handler';
import { defaultEventBridge, type EventBridgePort } from '../client/ports';
import { parseRefreshRequest, type RefreshRequest } from '../client/refresh-request';
import type { Adapter, AdapterDefinition } from './adapter';
import { type CurrentVersion, describedVersion } from './current-version';
import { type AdapterEnvironment, parseSettings, readAdapterEnvironment } from './environment';
import { AdapterStillWaiting, VerifyUnsupported } from './errors';
import { failureOf } from './failures';
import { startHeartbeats } from './heartbeat';
import { log } from './log';
import { rollOut, type RollOutEnd } from './roll-out';

/** How long before Lambda's own timeout an invocation ends, so that its error has a name and Rotor hears of it. */
const reserveMs = 10_000;

/** What a handler takes from outside; everything has a default. */
export interface HandlerPorts {
  readonly eventBridge?: EventBridgePort;
  readonly current?: CurrentVersion;
  readonly clock?: Clock;
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes the Lambda handler of one adapter, for a function that is the target of the application's own rule.
 *
 * It acts on what AWSCURRENT names, waits for the steady state, and acknowledges `loaded` or `refused`; meanwhile it says
 * `working`. A request without a token is acted on and not answered. Errors end the invocation, which Lambda tries twice
 * more with the same event: AdapterStillWaiting when its time is up, AcknowledgementFailed when the bus takes nothing;
 * RequestMalformed, RequestForeign and AdapterEnvironmentInvalid, which no repeat mends, end as dead letters.
 */
export function adapterHandler<Settings extends object>(
  definition: AdapterDefinition<Settings>,
  open: (settings: Settings) => Adapter,
  ports: HandlerPorts = {},
): (event: unknown, context: LambdaContext) => Promise<void> {
  const clock = ports.clock ?? systemClock;
  let eventBridge = ports.eventBridge;
  const current = ports.current ?? describedVersion();
  const { lookEverySeconds } = definition;
  // One for each execution environment; what it remembers must not matter.
  let adapter: Adapter | undefined;

  const follow = async (
    request: RefreshRequest,
    settings: string,
    signal: AbortSignal,
  ): Promise<RollOutEnd> => {
    const { phase, versionId } = request;
    try {
      if (phase === 'verify')
        throw new VerifyUnsupported('an adapter cannot try a version before AWSCURRENT names it');
      adapter ??= open(parseSettings(definition.settings, settings));
    } catch (error) {
      const { name, what, permanent } = failureOf(error);
      if (!permanent) throw error;
      return { outcome: 'refused', versionId, reason: `${name}: ${what}` };
    }
    return rollOut({ adapter, current, clock, lookEverySeconds }, request, signal);
  };

  return async (event, context) => {
    const environment = readAdapterEnvironment(ports.variables ?? process.env);
    const request = parseRefreshRequest(event);
    checkAddress(request, environment);
    const { consumer, rotationId, taskToken } = request;
    eventBridge ??= defaultEventBridge(environment.BUS_NAME);
    const acknowledger = new Acknowledger(eventBridge, environment.BUS_NAME, clock);
    const say = async (answer: Answer): Promise<void> => {
      if (taskToken !== undefined) await acknowledger.acknowledge({ ...request, taskToken }, answer);
    };
    const sayWorking = () =>
      say({ outcome: 'working', versionId: request.versionId }).catch((error: unknown) =>
        log('warn', 'heartbeat failed', { consumer, rotationId, error: errorLabel(error) }),
      );
    const stopHeartbeats = startHeartbeats(clock, request, () => void sayWorking());
    try {
      const end = await withTimeLimit(
        clock,
        Math.max(0, context.getRemainingTimeInMillis() - reserveMs),
        () => new AdapterStillWaiting(`the roll-out of ${consumer} is not at its end yet`),
        (signal) => follow(request, environment.SETTINGS, signal),
      );
      stopHeartbeats();
      await say(end);
      log('info', end.outcome, {
        consumer,
        rotationId,
        versionId: end.versionId,
        ...(end.outcome === 'refused' ? { reason: end.reason } : {}),
      });
    } catch (error) {
      log('error', 'ended', { consumer, rotationId, error: errorLabel(error) });
      // Lambda waits a minute or two before it tries again.
      if (error instanceof AdapterStillWaiting) await sayWorking();
      throw error;
    } finally {
      stopHeartbeats();
    }
  };
}

function checkAddress(request: RefreshRequest, { CONSUMER, SECRET_NAME }: AdapterEnvironment): void {
  const { consumer, secret } = request;
  if (consumer !== CONSUMER)
    throw new RequestForeign(`the request is for consumer ${consumer}, not ${CONSUMER}`);
  if (secret.name !== SECRET_NAME)
    throw new RequestForeign(`the request is about secret ${secret.name}, not ${SECRET_NAME}`);
}
