/** Quotes a name: between backquotes nothing but the backquote itself has a meaning, whatever the sql_mode. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** Quotes the name of an account. */
export function accountName({ user, host }: { readonly user: string; readonly host: string }): string {
  return `${identifier(user)}@${identifier(host)}`;
}

/** Quotes a text. Backslashes stay as they are: sessions of Rotor have NO_BACKSLASH_ESCAPES. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Blots out everything between quotes and keeps its place, so that words can be looked for in what is left. */
export function withoutQuoted(text: string): string {
  return text.replace(/`(?:[^`]|``)*`|'(?:[^']|'')*'|"(?:[^"]|"")*"/g, (quoted) =>
    '\0'.repeat(quoted.length),
  );
}
