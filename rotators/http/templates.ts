import { SecretMalformed, TargetRefused } from '../../domain/errors';

/** A JSON value, as a request's body is described. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Where a template stands, and so how values have to be written into it. */
type Place = 'url' | 'header' | 'text';

/** What placeholders stand for. */
export interface Values {
  readonly secret: object;
  readonly admin: object | undefined;
  /** The key that is worked on; absent where there is none yet. */
  readonly id?: string;
  /** Name that a new key gets at the issuer. */
  readonly name?: string;
}

/** A member of the secret, or of the admin's secret, that a template names. */
export interface Member {
  readonly of: 'secret' | 'admin';
  readonly name: string;
}

const placeholder = /\{(?:(secret|admin)\.([A-Za-z_][\w-]*)|(id|name))\}/g;
/** Looks like a placeholder, so that a misspelt one is found before it is sent. */
const anyPlaceholder = /\{[\w.-]+\}/;

/** Whether a template holds no placeholder but those that there are. In a URL a brace has no other use. */
export function isTemplate(template: string, place: Place): boolean {
  const rest = template.replace(placeholder, '');
  return place === 'url' ? !/[{}]/.test(rest) : !anyPlaceholder.test(rest);
}

/** Every member that a template names. */
export function membersIn(template: string): readonly Member[] {
  return [...template.matchAll(placeholder)].flatMap(([, of, name]) =>
    name !== undefined && (of === 'secret' || of === 'admin') ? [{ of, name }] : [],
  );
}

/** Which of `{id}` and `{name}` a template holds. */
export function subjectsIn(template: string): readonly ('id' | 'name')[] {
  return [...template.matchAll(placeholder)].flatMap(([, , , subject]) =>
    subject === 'id' || subject === 'name' ? [subject] : [],
  );
}

/** Every text in a JSON value that can be a template: values, and not names. */
export function textsIn(body: Json): readonly string[] {
  if (typeof body === 'string') return [body];
  if (typeof body !== 'object' || body === null) return [];
  return Object.values(body).flatMap((part: Json) => textsIn(part));
}

/** A text with its placeholders filled in, encoded for the place where it stands. SecretMalformed, TargetRefused. */
export function render(template: string, values: Values, place: Place): string {
  return template.replace(
    placeholder,
    (whole, of: 'secret' | 'admin' | undefined, member: string | undefined) => {
      const found = of === undefined ? values[whole === '{id}' ? 'id' : 'name'] : textOf(values, of, member);
      if (found === undefined) throw unfit(whole, 'has no value here');
      return encode(found, whole, place);
    },
  );
}

/** A JSON value with the placeholders in its texts filled in. */
export function renderJson(body: Json, values: Values): Json {
  if (typeof body === 'string') return render(body, values, 'text');
  if (typeof body !== 'object' || body === null) return body;
  if (isList(body)) return body.map((part) => renderJson(part, values));
  return Object.fromEntries(Object.entries(body).map(([name, part]) => [name, renderJson(part, values)]));
}

function isList(body: Json): body is readonly Json[] {
  return Array.isArray(body);
}

function textOf(values: Values, of: 'secret' | 'admin', member: string | undefined): string | undefined {
  const value: unknown = Reflect.get(values[of] ?? {}, member ?? '');
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function encode(value: string, shown: string, place: Place): string {
  switch (place) {
    case 'url':
      // An id of dots or of nothing would make the request one about the whole collection: DELETE /keys/.
      if (value === '' || /^\.{1,2}$/.test(value) || /\p{Surrogate}/u.test(value))
        throw unfit(shown, 'cannot stand in a URL');
      return encodeURIComponent(value);
    case 'header':
      // RFC 9110, section 5.5. A line break would begin a header of its own.
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw unfit(shown, 'cannot stand in a header');
      return value;
    case 'text':
      return value;
  }
}

/** Names the placeholder and never its value. */
function unfit(shown: string, why: string): SecretMalformed | TargetRefused {
  return shown === '{id}' || shown === '{name}'
    ? new TargetRefused(`the issuer's ${shown} ${why}`)
    : new SecretMalformed(`${shown}, which the settings name, ${why}`);
}
