import type { Call, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { policyOf } from './queue-attributes';
import type { Queue } from './queue';

/** How KMS is asked whether a caller may use a key, named by ARN, id or alias; it throws where not. */
export type AuthorizeKeyUse = (call: Call, keyId: string, action: string, viaService: string) => void;

/** What every operation on a queue asks before it acts. */
export class QueueAccess {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly authorizeKeyUse: AuthorizeKeyUse,
  ) {}

  /** Asks for an action on a queue, in the words of SQS, which writes actions in lower case. */
  require(call: Call, action: string, queue: Pick<Queue, 'arn' | 'attributes'>): void {
    try {
      this.surroundings.authorize(call, {
        action: `sqs:${action}`,
        resource: queue.arn,
        resourcePolicy: policyOf(queue.attributes),
      });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const message = error.message.replaceAll(`sqs:${action}`, `sqs:${action.toLowerCase()}`);
      throw new ServiceError(error.code, message, 403);
    }
  }

  /** Asks KMS for the queue's key. Senders need both actions, receivers Decrypt. */
  requireKey(call: Call, queue: Queue, ...actions: readonly ('GenerateDataKey' | 'Decrypt')[]): void {
    const key = queue.attributes['KmsMasterKeyId'];
    if (key === undefined) return;
    try {
      for (const action of actions)
        this.authorizeKeyUse(call, key, `kms:${action}`, `sqs.${this.surroundings.region}.amazonaws.com`);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new ServiceError(
        error.code === 'NotFoundException' ? 'KmsNotFound' : 'KmsAccessDenied',
        error.message,
      );
    }
  }
}
