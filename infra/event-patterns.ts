import type { EventPattern } from 'aws-cdk-lib/aws-events';
import { consumerSource, detailTypes, operatorSource, rotorSource } from '../domain/events';

/** Every acknowledgement of any application. */
export const acknowledgementPattern: EventPattern = {
  source: [consumerSource],
  detailType: [detailTypes.refreshAcknowledged],
};

/** Every decision of an operator. */
export const decisionPattern: EventPattern = {
  source: [operatorSource],
  detailType: [detailTypes.decided],
};

/**
 * What the archive keeps: how rotations began and ended.
 *
 * The kinds are listed, not excluded: requests, acknowledgements and decisions hold task tokens, and so may kinds yet to come.
 */
export const archivedPattern = {
  source: [rotorSource],
  'detail-type': [detailTypes.started, detailTypes.succeeded, detailTypes.failed, detailTypes.held],
};

/** The requests to one consumer of one secret; nobody else sees the task token in them. */
export function requestPattern(secretName: string, consumer: string): EventPattern {
  return {
    source: [rotorSource],
    detailType: [detailTypes.refreshRequested],
    detail: { consumer: [consumer], secret: { name: [secretName] } },
  };
}

/**
 * Every move of AWSCURRENT of one secret, on the default bus. Secrets Manager sends it for any secret, without CloudTrail
 * (AWS: Secrets Manager, "Secret event notifications"). Events of other accounts and regions, replicas for example, may
 * be forwarded to the same bus, and names are the same there.
 */
export function currentMovedPattern(
  secretName: string,
  place: { readonly account: string; readonly region: string },
): EventPattern {
  return {
    source: ['aws.secretsmanager'],
    account: [place.account],
    region: [place.region],
    detailType: ['Secret Label Updated'],
    detail: { name: [secretName], labelUpdated: ['AWSCURRENT'] },
  };
}
