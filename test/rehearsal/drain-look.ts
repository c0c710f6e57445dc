import * as z from 'zod';
import type { Rehearsal } from '../../local/rehearsal/rehearsal';
import { newestExecution } from './newest-execution';

const holders = z.array(z.object({ application: z.string().nullable() }));
const lookShape = z.object({ Payload: z.object({ begun: holders, open: holders }) });

/** Who used the old credential at the last look of AwaitDrain in the newest execution; undefined before the first. */
export async function lastLook(
  rehearsal: Pick<Rehearsal, 'cloud' | 'stateMachineArn'>,
): Promise<z.infer<typeof lookShape>['Payload'] | undefined> {
  const events = (await rehearsal.cloud.history(await newestExecution(rehearsal))) as readonly {
    readonly taskSucceededEventDetails?: { readonly output?: string };
  }[];
  return events
    .map(({ taskSucceededEventDetails: ended }) => lookShape.safeParse(JSON.parse(ended?.output ?? 'null')))
    .findLast(({ success }) => success)?.data?.Payload;
}
