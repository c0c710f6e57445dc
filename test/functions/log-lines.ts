/** Collects what the functions write to their log while the tests of one file run. */
export function collectLog(): { readonly lines: string[]; readonly restore: () => void } {
  const lines: string[] = [];
  const spy = jest.spyOn(console, 'log').mockImplementation((line: unknown) => {
    lines.push(String(line));
  });
  return { lines, restore: () => spy.mockRestore() };
}

/** The lines as the objects that they are; each must be one line of JSON. */
export function parsed(lines: readonly string[]): readonly unknown[] {
  return lines.map((line) => JSON.parse(line) as unknown);
}
