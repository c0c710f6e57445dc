import jsonata from 'jsonata';

/** What an expression refers to, found without evaluating it. */
export interface Analysis {
  /** Why it is no JSONata, in the parser's words. */
  readonly syntaxError?: string;
  /** Variables that it reads and does not bind itself; JSONata's own functions are not among them. */
  readonly variables: ReadonlySet<string>;
  /** Members of `$states` that it reads, such as `input`. */
  readonly stateMembers: ReadonlySet<string>;
}

// JSONata 2.0.6 and what Step Functions adds; `eval` is missing on purpose, since Step Functions has none.
const functions: ReadonlySet<string> = new Set(
  (
    'abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl ' +
    'decodeUrlComponent distinct each encodeUrl encodeUrlComponent error exists filter floor formatBase ' +
    'formatInteger formatNumber fromMillis join keys length lookup lowercase map match max merge millis min not now ' +
    'number pad parseInteger power random reduce replace reverse round shuffle sift single sort split spread sqrt ' +
    'string substring substringAfter substringBefore sum toMillis trim type uppercase zip ' +
    'hash parse partition range uuid'
  ).split(' '),
);

/** Parses an expression and lists what it refers to. */
export function analyse(source: string): Analysis {
  const read = new Set<string>();
  const bound = new Set<string>();
  const stateMembers = new Set<string>();
  try {
    walk(jsonata(source).ast(), (node) => {
      if (node['type'] === 'variable' && typeof node['value'] === 'string') read.add(node['value']);
      for (const name of boundBy(node)) bound.add(name);
      const member = stateMemberOf(node);
      if (member !== undefined) stateMembers.add(member);
    });
  } catch (error) {
    const message =
      typeof error === 'object' && error !== null && 'message' in error
        ? String(error.message)
        : String(error);
    return { syntaxError: message, variables: read, stateMembers };
  }
  // `$` and `$$` have no name; a name bound anywhere in the expression is taken as its own.
  const own = (name: string) => name === '' || name === '$' || name === 'states' || functions.has(name);
  return { variables: new Set([...read].filter((name) => !own(name) && !bound.has(name))), stateMembers };
}

type Node = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value as readonly unknown[]) walk(item, visit);
  if (!isNode(value) || value instanceof RegExp) return;
  visit(value);
  for (const child of Object.values(value)) walk(child, visit);
}

function boundBy(node: Node): readonly string[] {
  const names: string[] = [];
  if (node['type'] === 'bind' && isNode(node['lhs'])) names.push(String(node['lhs']['value']));
  if (node['type'] === 'lambda' && Array.isArray(node['arguments']))
    for (const argument of node['arguments'] as readonly unknown[])
      if (isNode(argument)) names.push(String(argument['value']));
  // `@$v` and `#$i` bind in the steps of a path.
  if (typeof node['focus'] === 'string') names.push(node['focus']);
  if (typeof node['index'] === 'string') names.push(node['index']);
  if (isNode(node['index'])) names.push(String(node['index']['value']));
  return names;
}

function stateMemberOf(node: Node): string | undefined {
  if (node['type'] !== 'path' || !Array.isArray(node['steps'])) return undefined;
  const [first, second] = node['steps'] as readonly unknown[];
  if (!isNode(first) || first['type'] !== 'variable' || first['value'] !== 'states') return undefined;
  return isNode(second) && second['type'] === 'name' ? String(second['value']) : undefined;
}
