import { isRecord } from './wire-values';

/**
 * Writes one element of a query answer.
 *
 * Lists become `member` elements, members named in `maps` become `entry` elements, dates ISO 8601.
 */
export function toXml(name: string, value: unknown, maps: readonly string[]): string {
  return `<${name}>${content(name, value, maps)}</${name}>`;
}

function content(name: string, value: unknown, maps: readonly string[]): string {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => toXml('member', item, maps)).join('');
  if (!isRecord(value)) return escapeXml(String(value));
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (!maps.includes(name)) return members.map(([key, member]) => toXml(key, member, maps)).join('');
  return members
    .map(([key, member]) => `<entry>${toXml('key', key, [])}${toXml('value', member, maps)}</entry>`)
    .join('');
}

/** Escapes text; control characters that XML 1.0 cannot carry are replaced, line breaks kept by reference. */
function escapeXml(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/\r/g, '&#13;')
    .replace(/[^\t\n\r\u0020-\ud7ff\ud800-\udfff\ue000-\ufffd]/g, '\ufffd');
}
