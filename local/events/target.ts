import * as z from 'zod';
import { ServiceError } from '../kernel/service';
import type { TargetInput } from './target-input';
import { compileTargetInput, inputShape } from './target-input';

/** A target as PutTargets takes it; what is not listed is refused by name. */
export const targetShape = z.strictObject({
  Id: z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/),
  Arn: z.string().min(1).max(1600),
  RoleArn: z.string().optional(),
  ...inputShape,
  DeadLetterConfig: z.strictObject({ Arn: z.string().optional() }).optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: z.int().min(0).max(185).optional(),
      MaximumEventAgeInSeconds: z.int().min(60).max(86_400).optional(),
    })
    .optional(),
});

/** What a target is told of an event through. */
export type TargetKind = 'sqs' | 'lambda' | 'sns' | 'bus';

/** A target of a rule, ready to be delivered to. */
export interface Target {
  readonly declared: z.infer<typeof targetShape>;
  readonly kind: TargetKind;
  readonly input: TargetInput;
  readonly deadLetterArn: string | undefined;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeMs: number;
}

/** Reads a target of an account's rule, and refuses kinds that are not implemented. */
export function compileTarget(account: string, declared: z.infer<typeof targetShape>): Target {
  const { Id, Arn, RoleArn, DeadLetterConfig, RetryPolicy } = declared;
  const kind = kindOf(Arn, Id);
  if (kind === 'bus') checkBus(declared);
  if (kind !== 'bus' && Arn.split(':')[4] !== account) throw unsupported(`targets of other accounts: ${Arn}`);
  if (kind !== 'bus' && RoleArn !== undefined) throw unsupported(`a RoleArn for a target of ${kind}`);
  const deadLetterArn = DeadLetterConfig?.Arn;
  if (deadLetterArn !== undefined && !/^arn:[^:]+:sqs:/.test(deadLetterArn))
    throw new ServiceError(
      'ValidationException',
      `Invalid DeadLetterConfig for target ${Id}: it is not the ARN of an SQS queue.`,
    );
  return {
    declared,
    kind,
    input: compileTargetInput(Id, declared),
    deadLetterArn,
    maximumRetryAttempts: RetryPolicy?.MaximumRetryAttempts ?? 185,
    maximumEventAgeMs: (RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400) * 1000,
  };
}

/** A bus gets the event whole, by a role, and is tried for as long as EventBridge likes. */
function checkBus({
  Arn,
  RoleArn,
  RetryPolicy,
  Input,
  InputPath,
  InputTransformer,
}: Target['declared']): void {
  if (RoleArn === undefined)
    throw new ServiceError('ValidationException', `RoleArn is required for target ${Arn}.`);
  const refused = Object.entries({ RetryPolicy, Input, InputPath, InputTransformer }).find(
    ([, value]) => value !== undefined,
  );
  if (refused !== undefined)
    throw new ServiceError('ValidationException', `${refused[0]} is not supported for target ${Arn}.`);
}

function kindOf(arn: string, id: string): TargetKind {
  const [scheme, , service = '', , , resource = ''] = arn.split(':');
  if (scheme !== 'arn')
    throw new ServiceError(
      'ValidationException',
      `Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format (target ${id}).`,
    );
  if (service === 'sqs' && !arn.endsWith('.fifo')) return 'sqs';
  if (service === 'lambda' && resource === 'function') return 'lambda';
  if (service === 'sns') return 'sns';
  if (service === 'events' && resource.startsWith('event-bus/')) return 'bus';
  throw unsupported(`targets such as ${arn}`);
}

function unsupported(what: string): ServiceError {
  return new ServiceError(
    'UnsupportedParameter',
    `The embedded cloud does not implement PutTargets with ${what}.`,
  );
}
