import { busName, consumerSource, detailTypes } from '../../domain/events';
import { consumerParameter } from '../../domain/names';
import type { Rehearsal } from '../../local/rehearsal/rehearsal';
import { eventually } from './eventually';
import { secretId } from './staged-rehearsal';

/** A request to refresh, as the workflow put it on the bus. */
type Request = Readonly<Record<string, unknown>>;

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
      const requests = await this.requestsIn(executionArn);
      found = requests.find((request) => request['consumer'] === this.name && wanted(request['versionId']));
      return found !== undefined;
    });
    return found ?? {};
  }

  async answer({ consumer, secret, versionId, taskToken }: Request, members: object): Promise<void> {
    const time = new Date().toISOString();
    await this.rehearsal.cloud.call('eventbridge', 'PutEvents', {
      Entries: [
        {
          EventBusName: busName,
          Source: consumerSource,
          DetailType: detailTypes.refreshAcknowledged,
          Detail: JSON.stringify({
            schemaVersion: '1',
            consumer,
            secret,
            versionId,
            taskToken,
            time,
            ...members,
          }),
        },
      ],
    });
  }

  private async requestsIn(executionArn: string): Promise<readonly Request[]> {
    const events = (await this.rehearsal.cloud.history(executionArn).catch(() => [])) as readonly {
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
}
