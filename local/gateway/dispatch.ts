import { randomUUID } from 'node:crypto';
import type { Call, CallService, Operation, Service } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import type { Journal } from './journal';
import { principalArn } from './journal';

/** What happens to an error that no service meant to raise: a defect of the embedded cloud. */
export type OnDefect = (error: unknown, service: string, operation: string) => void;

/** The services by id; a list that is read at every call, so that services may be added after construction. */
export type Services = Iterable<Service>;

/** Runs operations and notes each in the journal. */
export class Dispatcher {
  constructor(
    private readonly services: Services,
    private readonly journal: Journal,
    private readonly onDefect: OnDefect = () => undefined,
  ) {}

  /**
   * Runs one operation. Every error that leaves here is a ServiceError: what nobody meant to raise becomes
   * InternalFailure, whose message repeats nothing of the original, since that may hold a value.
   */
  async run(
    service: string,
    operation: string,
    input: Readonly<Record<string, unknown>>,
    call: Call,
  ): Promise<object> {
    const at = this.journal.start();
    let errorCode: string | undefined;
    try {
      return await this.find(service, operation)(input, call);
    } catch (error) {
      const answered = this.asServiceError(error, service, operation);
      errorCode = answered.code;
      throw answered;
    } finally {
      const { principal, userAgent } = call;
      this.journal.record({
        at,
        principalArn: principalArn(principal),
        ...(principal.kind === 'role' && { roleArn: principal.roleArn }),
        service,
        operation,
        userAgent,
        ...(errorCode !== undefined && { errorCode }),
      });
    }
  }

  /** Notes a call that ended before its caller was known. */
  refuse(service: string, operation: string, userAgent: string, errorCode: string): void {
    const at = this.journal.start();
    this.journal.record({ at, principalArn: 'unidentified', service, operation, userAgent, errorCode });
  }

  private find(serviceId: string, operation: string): Operation {
    for (const service of this.services) {
      if (service.id !== serviceId) continue;
      // Own members only: a name such as `constructor` must not find something on the prototype.
      const found = Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
      if (found !== undefined) return found;
    }
    throw new ServiceError(
      'UnsupportedOperation',
      `The embedded cloud does not implement ${serviceId}:${operation}.`,
      400,
    );
  }

  private asServiceError(error: unknown, service: string, operation: string): ServiceError {
    if (error instanceof ServiceError) return error;
    this.onDefect(error, service, operation);
    return new ServiceError('InternalFailure', `The embedded cloud failed in ${service}:${operation}.`, 500);
  }
}

/** Lets services call each other in process, by the same operations and in the same journal as over HTTP. */
export function createCallService(dispatcher: Dispatcher): CallService {
  return (service, operation, input, call) =>
    dispatcher.run(service, operation, input, {
      requestId: randomUUID(),
      userAgent: 'rotor-embedded-cloud',
      conditions: {},
      ...call,
    });
}
