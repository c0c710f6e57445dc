/** The package ships no declarations; this is the part of it that is used. */
declare module 'asl-validator' {
  interface Finding {
    readonly 'Error code'?: string;
    readonly Message?: string;
    /** Of findings that come straight from the JSON schema. */
    readonly message?: string;
    readonly instancePath?: string;
    readonly schemaError?: { readonly instancePath: string };
    readonly params?: Readonly<Record<string, unknown>>;
  }

  /** Checks a definition; it writes QueryLanguage into the states that it is given. */
  function validate(
    definition: object,
    options?: { readonly checkPaths: boolean; readonly checkArn: boolean },
  ): { readonly isValid: boolean; readonly errors: readonly Finding[] };

  export = validate;
}
