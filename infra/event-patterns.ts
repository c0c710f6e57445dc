import type { EventPattern } from 'aws-cdk-lib/aws-events';
import { consumerSource, detailTypes, rotorSource } from '../domain/events';

/** Every acknowledgement of any application. */
export const acknowledgementPattern: EventPattern = {
  source: [consumerSource],
  detailType: [detailTypes.refreshAcknowledged],
};

/**
 * What the archive keeps: how rotations began and ended.
 *
 * The kinds are listed, not excluded: requests and acknowledgements hold task tokens, and so may kinds yet to come.
 */
export const archivedPattern = {
  source: [rotorSource],
  'detail-type': [detailTypes.started, detailTypes.succeeded, detailTypes.failed],
};

/** The requests to one consumer of one secret; nobody else sees the task token in them. */
export function requestPattern(secretName: string, consumer: string): EventPattern {
  return {
    source: [rotorSource],
    detailType: [detailTypes.refreshRequested],
    detail: { consumer: [consumer], secret: { name: [secretName] } },
  };
}
