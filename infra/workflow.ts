import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

/** Where the workflow is written down for people. */
const source = path.resolve(__dirname, '..', 'statemachines', 'rotation.asl.yaml');

/** The workflow as Step Functions takes it, with the values that deployment puts in. */
export interface WorkflowDefinition {
  /** Amazon States Language, JSON, with `${Name}` where a value goes. */
  readonly text: string;
  /** Value by name: those of the given ones that occur in the text. */
  readonly substitutions: Readonly<Record<string, string>>;
}

/**
 * Turns the workflow's YAML into the JSON that is deployed; anchors and merge keys are resolved.
 *
 * A name that nobody substitutes would reach Step Functions as it stands, so it is refused here.
 */
export function readWorkflow(
  available: Readonly<Record<string, string>>,
  yaml = readFileSync(source, 'utf8'),
): WorkflowDefinition {
  const text = JSON.stringify(withoutDrafts(parse(yaml, { merge: true })));
  const names = new Set([...text.matchAll(/\$\{([A-Za-z0-9]+)\}/g)].map((match) => match[1] ?? ''));
  const unknown = [...names].filter((name) => !(name in available));
  if (unknown.length > 0)
    throw new Error(`the workflow names values that nobody gives: ${unknown.join(', ')}`);
  return {
    text,
    substitutions: Object.fromEntries(Object.entries(available).filter(([name]) => names.has(name))),
  };
}

/** Members whose names begin with `x-` hold anchors for the rest of the file; Step Functions does not know them. */
function withoutDrafts(document: unknown): unknown {
  if (typeof document !== 'object' || document === null) throw new Error('the workflow is not an object');
  return Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith('x-')));
}
