/** The values of policy variables such as `${aws:PrincipalAccount}`; undefined where the request has none. */
export type Variables = (name: string) => string | undefined;

const compiled = new Map<string, RegExp>();

/**
 * Whether `text` matches an IAM pattern, in which `*` is any text and `?` any one character.
 *
 * `${*}`, `${?}` and `${$}` stand for the characters themselves. A pattern with a policy variable that the request does
 * not fill matches nothing, as on AWS.
 */
export function matches(pattern: string, text: string, variables: Variables, ignoreCase = false): boolean {
  const filled = fill(pattern, variables);
  if (filled === undefined) return false;
  const cacheKey = `${ignoreCase ? 'i' : 's'}${filled}`;
  let regex = compiled.get(cacheKey);
  if (regex === undefined) {
    regex = new RegExp(`^${translate(filled)}$`, ignoreCase ? 'isu' : 'su');
    compiled.set(cacheKey, regex);
  }
  return regex.test(text);
}

/** The pattern as plain text, for operators without wildcards; undefined when a variable is not filled. */
export function literal(pattern: string, variables: Variables): string | undefined {
  return fill(pattern, variables)?.replaceAll(/\uE000(.)/gsu, '$1');
}

// Characters that came from a variable or an escape are marked, so that they are not read as wildcards.
const mark = '\uE000';

function fill(pattern: string, variables: Variables): string | undefined {
  const missing: string[] = [];
  const filled = pattern.replaceAll(/\$\{([^}]*)\}/gu, (_, name: string) => {
    const value = name === '*' || name === '?' || name === '$' ? name : variables(name);
    if (value === undefined) missing.push(name);
    return Array.from(value ?? '', (character) => mark + character).join('');
  });
  return missing.length === 0 ? filled : undefined;
}

function translate(filled: string): string {
  return filled.replaceAll(/\uE000(.)|([*?])|([\\^$.|+()[\]{}/-])/gsu, (_, kept, wild, special) => {
    if (typeof kept === 'string') return escape(kept);
    if (typeof wild === 'string') return wild === '*' ? '.*' : '.';
    return escape(String(special));
  });
}

function escape(character: string): string {
  return /[\\^$.|+()[\]{}/*?-]/u.test(character) ? `\\x${character.charCodeAt(0).toString(16)}` : character;
}
