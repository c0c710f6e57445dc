import { createCallService, Dispatcher } from '../../../local/gateway/dispatch';
import type { Gateway } from '../../../local/gateway/gateway';
import { startGateway } from '../../../local/gateway/gateway';
import { Journal } from '../../../local/gateway/journal';
import type { Clock, VirtualClock } from '../../../local/kernel/clock';
import { ScaledClock } from '../../../local/kernel/clock';
import type {
  Access,
  Authorize,
  Call,
  Principal,
  Service,
  Surroundings,
} from '../../../local/kernel/service';
import { ServiceError } from '../../../local/kernel/service';

/** Keys of the operator, which need no session token. */
export const operatorKeys = { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'operator-signs-with-this' };

/** Keys of a role that an application has assumed. */
export const roleKeys = {
  accessKeyId: 'ASIAROLE',
  secretAccessKey: 'role-signs-with-this',
  sessionToken: 'role-comes-with-this',
};

/** Whom `operatorKeys` stand for. */
export const operator: Principal = {
  kind: 'operator',
  arn: 'arn:aws:iam::111122223333:user/operator',
  account: '111122223333',
};
/** Whom `roleKeys` stand for. */
export const role: Principal = {
  kind: 'role',
  arn: 'arn:aws:sts::111122223333:assumed-role/app/session',
  roleArn: 'arn:aws:iam::111122223333:role/app',
  account: '111122223333',
};

/** What was asked of the stage's authorisation. */
export interface Asked extends Access {
  readonly principal: Principal;
  readonly call: Call;
}

/** Services behind a real gateway, under an authorisation that notes what it is asked and refuses what a test says. */
export class Stage {
  readonly services: Service[] = [];
  readonly asked: Asked[] = [];
  readonly defects: unknown[] = [];
  readonly journal: Journal;
  readonly dispatcher: Dispatcher;
  readonly surroundings: Surroundings;
  /** Says whether an access is refused; by default nothing is. */
  refuses: (asked: Asked) => boolean = () => false;
  private gateway: Gateway | undefined;

  constructor(readonly clock: Clock = new ScaledClock()) {
    this.journal = new Journal(clock);
    this.dispatcher = new Dispatcher(this.services, this.journal, (error) => this.defects.push(error));
    this.surroundings = {
      account: '111122223333',
      region: 'us-east-1',
      partition: 'aws',
      clock,
      authorize: this.authorize,
      callService: createCallService(this.dispatcher),
    };
  }

  get endpoint(): string {
    if (this.gateway === undefined) throw new Error('the gateway is not started');
    return this.gateway.endpoint;
  }

  /** What every SDK client of a test is built with. */
  config(keys: typeof operatorKeys & { sessionToken?: string } = operatorKeys) {
    return { endpoint: this.endpoint, region: 'us-east-1', credentials: keys, maxAttempts: 1 };
  }

  /** What the environment of a command needs to talk to the stage. */
  environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_ACCESS_KEY_ID: operatorKeys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: operatorKeys.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_MAX_ATTEMPTS: '1',
      // Whatever passes the endpoint by goes nowhere.
      HTTPS_PROXY: 'http://127.0.0.1:1',
    };
  }

  async start(): Promise<void> {
    this.gateway = await startGateway({
      dispatcher: this.dispatcher,
      identities: {
        identify: (id) => ({ AKIAOPERATOR: operator, ASIAROLE: role })[id],
        sessionTokenFor: (id) => (id === roleKeys.accessKeyId ? roleKeys.sessionToken : undefined),
        secretFor: (id) => [operatorKeys, roleKeys].find((keys) => keys.accessKeyId === id)?.secretAccessKey,
      },
    });
  }

  async stop(): Promise<void> {
    await this.gateway?.stop();
  }

  private readonly authorize: Authorize = (call, access) => {
    const asked = { ...access, principal: call.principal, call };
    this.asked.push(asked);
    if (!this.refuses(asked)) return;
    const who = call.principal.kind === 'service' ? call.principal.service : call.principal.arn;
    throw new ServiceError(
      'AccessDeniedException',
      `User: ${who} is not authorized to perform: ${access.action} on resource: ${access.resource} because no identity-based policy allows the ${access.action} action`,
    );
  };
}

/** Lets the clock run for some time, and everything happen that falls due until then. */
export function pass(clock: VirtualClock, milliseconds: number): void {
  let due = 1;
  clock.after(milliseconds, () => due--);
  while (due > 0) clock.advance();
}

/** Waits for work that itself waits on the clock, by letting the clock jump whenever nothing else happens. */
export async function settle(clock: VirtualClock, work: Promise<void>): Promise<void> {
  let pending = 1;
  const settled = work.finally(() => pending--);
  while (pending > 0) {
    await new Promise(setImmediate);
    if (pending > 0) clock.advance();
  }
  await settled;
}
