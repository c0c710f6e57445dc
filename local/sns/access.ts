import type { Call, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import type { Topic } from './topic';

/** How KMS is asked whether a caller may use a key, named by ARN, id or alias; it throws where not. */
export type AuthorizeKeyUse = (call: Call, keyId: string, action: string, viaService: string) => void;

/** What every operation asks before it acts. */
export class TopicAccess {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly authorizeKeyUse: AuthorizeKeyUse,
  ) {}

  /** Asks for an action on a topic, in the words of SNS: AuthorizationError, and its own name in capitals. */
  require(
    call: Call,
    action: string,
    topic: Pick<Topic, 'arn' | 'attributes'>,
    conditions: Readonly<Record<string, string>> = {},
  ): void {
    const policy = topic.attributes['Policy'];
    const parsed: unknown = policy === undefined ? undefined : JSON.parse(policy);
    try {
      this.surroundings.authorize(call, {
        action: `sns:${action}`,
        resource: topic.arn,
        resourcePolicy: typeof parsed === 'object' && parsed !== null ? parsed : undefined,
        conditions,
      });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const message = error.message.replaceAll(`sns:${action}`, `SNS:${action}`);
      throw new ServiceError('AuthorizationError', message, 403);
    }
  }

  /** Asks KMS for the topic's key, as publishing does on the publisher's behalf. */
  requireKey(call: Call, topic: Topic): void {
    const key = topic.attributes['KmsMasterKeyId'];
    if (key === undefined) return;
    try {
      for (const action of ['kms:GenerateDataKey', 'kms:Decrypt'])
        this.authorizeKeyUse(call, key, action, `sns.${this.surroundings.region}.amazonaws.com`);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new ServiceError(
        error.code === 'NotFoundException' ? 'KMSNotFound' : 'KMSAccessDenied',
        error.message,
      );
    }
  }
}
