/** The name and message of the error that a call throws; fails where it throws none. */
export function thrownBy(run: () => unknown): { readonly name: string; readonly message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return { name: error.name, message: error.message };
    throw new TypeError('threw something that is no error', { cause: error });
  }
  throw new Error('returned, although it should have thrown');
}
