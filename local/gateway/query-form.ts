type Tree = { [name: string]: string | Tree };

/** Reads a query form into what the JSON protocols would carry: lists from `X.member.1`, maps from `X.entry.1.key`. */
export function parseForm(form: URLSearchParams): Readonly<Record<string, unknown>> {
  const tree: Tree = Object.create(null) as Tree;
  for (const [name, value] of form) {
    const path = name.split('.');
    let node = tree;
    for (const part of path.slice(0, -1)) {
      const next = node[part];
      node = isTree(next) ? next : (node[part] = Object.create(null) as Tree);
    }
    node[path.at(-1) ?? ''] = value;
  }
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, fold(value)]));
}

function isTree(value: string | Tree | undefined): value is Tree {
  return typeof value === 'object';
}

function fold(value: string | Tree): unknown {
  if (typeof value === 'string') return value;
  const names = Object.keys(value);
  const { member, entry } = value;
  // An empty list is sent as `X=`, which arrives as a string; only filled ones come through here.
  if (names.length === 1 && isTree(member)) return numbered(member).map(fold);
  if (names.length === 1 && isTree(entry))
    return Object.fromEntries(
      numbered(entry)
        .filter(isTree)
        .map((pair) => [keyOf(pair), fold(pair['value'] ?? pair['Value'] ?? '')]),
    );
  return Object.fromEntries(Object.entries(value).map(([name, below]) => [name, fold(below)]));
}

function numbered(tree: Tree): readonly (string | Tree)[] {
  return Object.entries(tree)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, value]) => value);
}

function keyOf(pair: Tree): string {
  const key = pair['key'] ?? pair['Name'];
  return typeof key === 'string' ? key : '';
}
