/**
 * Reads a wildcard pattern: `*` stands for any characters, `\*` and `\\` for themselves.
 *
 * Compares part by part, so that no pattern can take more than linear time for each part.
 */
export function compileWildcard(
  pattern: string,
  invalid: (reason: string) => Error,
): (value: string) => boolean {
  const parts: string[] = [''];
  let star = false;
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index);
    if (character === '*') {
      if (star) throw invalid('Consecutive wildcard characters are not allowed');
      parts.push('');
      star = true;
      continue;
    }
    star = false;
    const literal = character === '\\' ? pattern.charAt(++index) : character;
    if (character === '\\' && literal !== '*' && literal !== '\\')
      throw invalid('Invalid escape character inside wildcard');
    parts.push(`${parts.pop() ?? ''}${literal}`);
  }
  const [first = '', ...middle] = parts;
  const last = middle.pop();
  if (last === undefined) return (value) => value === first;
  return (value) => {
    if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last))
      return false;
    const end = value.length - last.length;
    let at = first.length;
    for (const part of middle) {
      const found = value.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
