import type { AdapterGrant } from '../../adapters/adapter';
import { Dispatcher, createCallService } from '../../local/gateway/dispatch';
import { startGateway } from '../../local/gateway/gateway';
import { Journal } from '../../local/gateway/journal';
import { createAuthorize } from '../../local/iam/authorize';
import { RoleStore } from '../../local/iam/role-store';
import type { Clock } from '../../local/kernel/clock';
import type { Service, Surroundings } from '../../local/kernel/service';

/** Where the world's resources stand. */
export const place = { account: '111122223333', region: 'us-east-1', partition: 'aws' } as const;

/** What an SDK client is opened with, to be let in as a role that has an adapter's grants and nothing else. */
export interface GrantedClient {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
  /** A connection for each request: one that was idle may just be closed, and some clients do not try again. */
  readonly requestHandler: { readonly httpAgent: { readonly keepAlive: false } };
}

/** A few services of the embedded cloud behind its gateway. */
export interface GrantedWorld {
  readonly journal: Journal;
  /** Calls an operation as the operator. */
  call(service: string, operation: string, input: Readonly<Record<string, unknown>>): Promise<object>;
  /** A client's options for a role that may do what an adapter's definition says. */
  grant(grants: readonly AdapterGrant[]): GrantedClient;
  /** Makes a role that Lambda may take on, and returns its ARN. */
  role(name: string): string;
  stop(): Promise<void>;
}

/** Starts services of the embedded cloud, so that an adapter is tried with its own grants alone. */
export async function startGrantedWorld(
  clock: Clock,
  makeServices: (surroundings: Surroundings, roles: RoleStore, endpoint: () => string) => readonly Service[],
): Promise<GrantedWorld> {
  const roles = new RoleStore({ ...place, clock });
  const journal = new Journal(clock);
  const services: Service[] = [];
  const dispatcher = new Dispatcher(services, journal);
  const callService = createCallService(dispatcher);
  const authorize = createAuthorize({ ...place, clock, roles });
  let endpoint = '';
  services.push(...makeServices({ ...place, clock, authorize, callService }, roles, () => endpoint));
  const gateway = await startGateway({
    dispatcher,
    port: 0,
    identities: {
      identify: (accessKeyId) => roles.principalOf(accessKeyId),
      secretFor: (accessKeyId) => roles.sessionOf(accessKeyId)?.secretAccessKey,
      sessionTokenFor: (accessKeyId) => roles.sessionOf(accessKeyId)?.sessionToken,
    },
  });
  endpoint = gateway.endpoint;
  const trustPolicy = {
    Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
  };
  let granted = 0;
  return {
    journal,
    call: (service, operation, input) =>
      callService(service, operation, input, { principal: roles.operator.principal }),
    grant: (grants) => {
      const Statement = grants.map(({ actions, resources, conditions }) => ({
        Effect: 'Allow',
        Action: actions,
        Resource: resources,
        ...(conditions === undefined ? {} : { Condition: conditions }),
      }));
      const name = `adapter-${(granted++).toString()}`;
      const arn = roles.put({
        name,
        trustPolicy,
        policies: { granted: { Version: '2012-10-17', Statement } },
      });
      const { accessKeyId, secretAccessKey, sessionToken } = roles.assume(arn, 'lambda.amazonaws.com', 'run');
      return {
        endpoint,
        region: place.region,
        credentials: { accessKeyId, secretAccessKey, sessionToken },
        requestHandler: { httpAgent: { keepAlive: false } },
      };
    },
    role: (name) => roles.put({ name, trustPolicy }),
    stop: () => gateway.stop(),
  };
}

/** A middleware of the SDK's clients, as far as one is needed that answers are lost in. */
type Next<Input, Output> = (args: Input) => Promise<Output>;

/** Loses the answer to the next call of certain commands, although they have worked. */
export class LostAnswers {
  private wanted = false;

  constructor(private readonly commands: ReadonlySet<string>) {}

  loseNext(): void {
    this.wanted = true;
  }

  /** To be added to a client's stack, in the step `initialize`: beyond what the SDK repeats by itself. */
  readonly middleware =
    <Input, Output>(next: Next<Input, Output>, context: { readonly commandName?: string }) =>
    async (args: Input): Promise<Output> => {
      const output = await next(args);
      if (!this.wanted || !this.commands.has(context.commandName ?? '')) return output;
      this.wanted = false;
      throw Object.assign(new Error('socket hang up'), { name: 'Error', code: 'ECONNRESET' });
    };
}
