import { busName, consumerSource, detailTypes, eventSchemas } from '../../domain/events';
import type { Cloud } from '../cloud';
import type { Fault, Moment } from '../lambda/ports';
import type { RehearsalOptions } from './options';

/** Name of the function that the example deploys for the application `reports`. */
const functionName = 'example-reports';

/**
 * Plays the function `reports` where it is to refuse or to stay silent: its code is deployed as it is and has no switch
 * for that. The request reaches the function, fails there, and the refusal is put with the function's own role. A request to
 * come back from a refused version is left to the function itself.
 */
export class Understudy {
  private cloud: Cloud | undefined;
  private readonly refused = new Set<string>();
  /** What the function does with requests; may be changed between rotations. */
  plays: 'itself' | 'refusal' | 'silence';

  constructor(options: Pick<RehearsalOptions, 'refuse' | 'silent'>) {
    this.plays =
      options.refuse === 'reports' ? 'refusal' : options.silent === 'reports' ? 'silence' : 'itself';
  }

  connect(cloud: Cloud): void {
    this.cloud = cloud;
  }

  async interfere(name: string, event: unknown, moment: Moment): Promise<Fault | undefined> {
    if (this.plays === 'itself' || name !== functionName || moment !== 'before') return undefined;
    if (typeof event !== 'object' || event === null || !('detail' in event)) return undefined;
    if (this.plays === 'refusal' && !(await this.refuse(event.detail))) return undefined;
    return {
      kind: 'error',
      errorType: 'RehearsedSilence',
      errorMessage: 'the rehearsal answers for this function',
    };
  }

  private async refuse(detail: unknown): Promise<boolean> {
    const request = eventSchemas[detailTypes.refreshRequested].parse(detail);
    const { cloud } = this;
    if (cloud === undefined || this.refused.has(request.previousVersionId)) return false;
    this.refused.add(request.versionId);
    const { Configuration } = await cloud.call<{ Configuration: { Role: string } }>('lambda', 'GetFunction', {
      FunctionName: functionName,
    });
    await cloud.callAs(Configuration.Role, 'lambda.amazonaws.com', 'eventbridge', 'PutEvents', {
      Entries: [
        {
          EventBusName: busName,
          Source: consumerSource,
          DetailType: detailTypes.refreshAcknowledged,
          Detail: JSON.stringify({
            schemaVersion: '1',
            consumer: request.consumer,
            secret: request.secret,
            versionId: request.versionId,
            taskToken: request.taskToken,
            outcome: 'refused',
            reason: 'rehearsed refusal: this application cannot work with the new version',
            time: new Date().toISOString(),
          }),
        },
      ],
    });
    return true;
  }
}
