import { EventBus } from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { detailTypes, rotorSource } from '../domain/events';

/** Which Rotor a bus hears. */
export interface RequestBusProps {
  /** ARN of Rotor's bus, in whatever account and region. */
  readonly rotorBusArn: string;
  /** Name of this bus. Default: `rotor-requests`. */
  readonly busName?: string;
}

/**
 * The bus on which an account or region hears requests of a Rotor that runs elsewhere; one for all its applications.
 *
 * Its policy takes requests to refresh that rules of Rotor's account bring, and nothing else; nothing that is put there by a
 * call. It does not name the rule: AWS does not say whether `aws:SourceArn` is there when a rule's target has a role, and a
 * bus as target must have one. EventBridge brings no event on to a further bus of the same region, so applications have
 * their rules on this one.
 */
export class RequestBus extends Construct {
  readonly bus: EventBus;

  constructor(scope: Construct, id: string, props: RequestBusProps) {
    super(scope, id);
    const { region, account } = placeOf(this, props.rotorBusArn);
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: props.busName ?? 'rotor-requests',
      description: `Requests to refresh secrets from the Rotor of account ${account} in ${region}`,
    });
    this.bus.addToResourcePolicy(
      new PolicyStatement({
        sid: 'RequestsOfRotor',
        actions: ['events:PutEvents'],
        resources: [this.bus.eventBusArn],
        principals: [new AccountPrincipal(account)],
        conditions: {
          StringEquals: {
            'events:source': rotorSource,
            'events:detail-type': detailTypes.refreshRequested,
            'events:eventBusInvocation': 'true',
          },
        },
      }),
    );
  }
}

/** Where a bus is. */
function placeOf(scope: Construct, busArn: string): { readonly region: string; readonly account: string } {
  const [, , service, region = '', account = '', resource = ''] = busArn.split(':');
  if (service === 'events' && /^\d{12}$/.test(account) && /^event-bus\/.+$/.test(resource)) {
    return { region, account };
  }
  throw new Error(`${scope.node.path}: rotorBusArn must be the ARN of a bus in letters, not ${busArn}`);
}
