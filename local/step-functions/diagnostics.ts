/** One thing that is wrong with a definition, as ValidateStateMachineDefinition reports it. */
export interface Diagnostic {
  readonly severity: 'ERROR' | 'WARNING';
  readonly code: string;
  readonly message: string;
  /** JSON pointer, such as `/States/X/Next`. */
  readonly location: string;
}

/** A definition that AWS would not take. */
export function schemaError(message: string, location: string): Diagnostic {
  return { severity: 'ERROR', code: 'SCHEMA_VALIDATION_FAILED', message, location };
}

/** A definition that AWS takes and the embedded cloud does not. */
export function unsupported(what: string, location: string): Diagnostic {
  return {
    severity: 'ERROR',
    code: 'UNSUPPORTED',
    message: `The embedded cloud does not implement ${what}`,
    location,
  };
}

/** Something that AWS takes and that can hardly be meant. */
export function warning(code: string, message: string, location: string): Diagnostic {
  return { severity: 'WARNING', code, message, location };
}
