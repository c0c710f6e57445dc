import * as z from 'zod';
import { document } from '../property-types';
import { defineResource } from '../resource-handler';

const policy = z.object({ Statement: z.array(document) });

/** AWS::Events::EventBusPolicy, one statement of a bus's policy; the older form without Statement is refused. */
export const eventBusPolicy = defineResource(
  { EventBusName: z.string().optional(), StatementId: z.string(), Statement: document },
  async ({ EventBusName = 'default', StatementId, Statement }, { call }) => {
    const described = await call('eventbridge', 'DescribeEventBus', { Name: EventBusName });
    const source = described['Policy'];
    // PutPermission replaces the whole policy, so the statements of the other resources are put back with it.
    const others =
      typeof source === 'string' && source !== ''
        ? policy.parse(JSON.parse(source)).Statement.filter((statement) => statement['Sid'] !== StatementId)
        : [];
    const whole = { Version: '2012-10-17', Statement: [...others, { Sid: StatementId, ...Statement }] };
    await call('eventbridge', 'PutPermission', { EventBusName, Policy: JSON.stringify(whole) });
    return { physicalId: `${EventBusName}|${StatementId}`, attributes: {} };
  },
);
