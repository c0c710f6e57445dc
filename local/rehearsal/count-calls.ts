import type { Cloud } from '../cloud';
import type { Calls } from './report';

/** Rotor's own functions by their roles, to tell their calls from the applications'. */
export async function functionsByRole(cloud: Cloud): Promise<ReadonlyMap<string, string>> {
  const { Functions } = await cloud.call<{ Functions: { FunctionName: string; Role: string }[] }>(
    'lambda',
    'ListFunctions',
    {},
  );
  return new Map(
    Functions.filter(({ FunctionName }) => FunctionName.startsWith('rotor-')).map(
      ({ FunctionName, Role }) => [Role, FunctionName.slice('rotor-'.length)],
    ),
  );
}

/** Counts calls by service and operation. */
export function countCalls(
  entries: readonly { readonly service: string; readonly operation: string }[],
): Calls {
  const counts: Record<string, Record<string, number>> = {};
  for (const { service, operation } of entries) {
    const ofService = (counts[service] ??= {});
    ofService[operation] = (ofService[operation] ?? 0) + 1;
  }
  return counts;
}
