/** Whether an error has one of these names; AWS's and Rotor's errors are told apart by name, never by text. */
export function isNamed(error: unknown, ...names: readonly string[]): error is Error {
  return error instanceof Error && names.includes(error.name);
}
