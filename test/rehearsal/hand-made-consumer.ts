import { busName, consumerSource, detailTypes } from '../../domain/events';
import { consumerParameter } from '../../domain/names';
import type { Cloud } from '../../local/cloud';
import type { Rehearsal } from '../../local/rehearsal/rehearsal';
import { eventually } from './eventually';
import { secretId } from './staged-rehearsal';

/** A request to refresh, as the workflow put it on the bus. */
export interface Request {
  readonly consumer: string;
  readonly secret: object;
  readonly versionId: string;
  readonly phase: string;
  readonly taskToken: string;
}

/** A consumer whose words a test speaks; it finds its requests in the execution's history. */
export class HandMadeConsumer {
  private readonly parameter: string;

  constructor(
    private readonly rehearsal: Rehearsal,
    private readonly name: string,
  ) {
    this.parameter = consumerParameter(secretId, name);
  }

  async enrol(enrolment: object): Promise<void> {
    const Value = JSON.stringify(enrolment);
    await this.rehearsal.cloud.call('ssm', 'PutParameter', { Name: this.parameter, Value, Type: 'String' });
  }

  async withdraw(): Promise<void> {
    await this.rehearsal.cloud.call('ssm', 'DeleteParameter', { Name: this.parameter });
  }

  /** Waits for a request that an execution makes of this consumer, and that `wanted` picks by its version. */
  async asked(executionArn: string, wanted: (versionId: unknown) => boolean): Promise<Request> {
    let found: Request | undefined;
    await eventually(`${this.name} is asked`, async () => {
      const requests = await requestsIn(this.rehearsal, executionArn);
      found = requests.find((request) => request['consumer'] === this.name && wanted(request['versionId']));
      return found !== undefined;
    });
    if (found === undefined) throw new Error(`${this.name} was not asked`);
    return found;
  }

  async answer(request: Request, members: object): Promise<void> {
    await acknowledge(this.rehearsal.cloud, request, members);
  }
}

/** Puts an answer to a request on the bus, with these members beside those that say what it answers. */
export async function acknowledge(
  cloud: Cloud,
  { consumer, secret, versionId, taskToken }: Omit<Request, 'phase'>,
  members: object,
): Promise<void> {
  const time = new Date().toISOString();
  const detail = { schemaVersion: '1', consumer, secret, versionId, taskToken, time, ...members };
  await cloud.call('eventbridge', 'PutEvents', {
    Entries: [
      {
        EventBusName: busName,
        Source: consumerSource,
        DetailType: detailTypes.refreshAcknowledged,
        Detail: JSON.stringify(detail),
      },
    ],
  });
}

/** Every request of an execution, in order, also of one that is still going on. */
export async function requestsIn(
  { cloud }: Pick<Rehearsal, 'cloud'>,
  executionArn: string,
): Promise<readonly Request[]> {
  const events = (await cloud.history(executionArn).catch(() => [])) as readonly {
    readonly taskScheduledEventDetails?: { readonly parameters?: string };
  }[];
  return events.flatMap(({ taskScheduledEventDetails: scheduled }) => {
    const { Entries: entries = [] } = JSON.parse(scheduled?.parameters ?? '{}') as {
      readonly Entries?: readonly { readonly DetailType: string; readonly Detail: Request }[];
    };
    return entries
      .filter((entry) => entry.DetailType === detailTypes.refreshRequested)
      .map(({ Detail }) => Detail);
  });
}
