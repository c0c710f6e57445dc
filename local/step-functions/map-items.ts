import type { MapState } from './definition';
import type { Json } from './json';
import { isArray } from './json';
import type { Place, Visit } from './visit';

/** The items of a Map state: what its Items come to, or else its input. */
export async function itemsOf(visit: Visit<MapState>): Promise<readonly Json[]> {
  const { Items } = visit.state;
  if (Items !== undefined) return visit.evaluateArray('Items', Items);
  if (isArray(visit.input)) return visit.input;
  throw visit.evaluationFailure(
    undefined,
    `Map state input must be an array but was: ${JSON.stringify(visit.input)}`,
  );
}

/** What each iteration gets as its input: the item, or what ItemSelector makes of it in the Map's own scope. */
export async function inputsOf(
  visit: Visit<MapState>,
  items: readonly Json[],
  origin: Pick<NonNullable<Place['item']>, 'source'> = {},
): Promise<readonly Json[]> {
  const { ItemSelector } = visit.state;
  if (ItemSelector === undefined) return items;
  const inputs: Json[] = [];
  for (const [index, value] of items.entries())
    inputs.push(await visit.evaluate('ItemSelector', ItemSelector, {}, { index, value, ...origin }));
  return inputs;
}
