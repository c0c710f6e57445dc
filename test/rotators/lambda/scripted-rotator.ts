/** A team's function that answers whatever its request's options say, however wrong. */
export const handler = (event: { readonly options: { readonly answer?: unknown } }): Promise<unknown> =>
  Promise.resolve(event.options.answer);
