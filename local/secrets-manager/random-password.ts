import { randomInt } from 'node:crypto';
import { ServiceError } from '../kernel/service';

/** GetRandomPassword's parameters. */
export interface PasswordRequest {
  readonly PasswordLength?: number | undefined;
  readonly ExcludeCharacters?: string | undefined;
  readonly ExcludeNumbers?: boolean | undefined;
  readonly ExcludePunctuation?: boolean | undefined;
  readonly ExcludeUppercase?: boolean | undefined;
  readonly ExcludeLowercase?: boolean | undefined;
  readonly IncludeSpace?: boolean | undefined;
  readonly RequireEachIncludedType?: boolean | undefined;
}

const lowercase = 'abcdefghijklmnopqrstuvwxyz';
const uppercase = lowercase.toUpperCase();
const digits = '0123456789';
// The set that AWS documents for ExcludePunctuation.
const punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** Draws a password as GetRandomPassword does: 32 characters, one of each kind, unless asked otherwise. */
export function randomPassword(request: PasswordRequest): string {
  const length = request.PasswordLength ?? 32;
  const excluded = new Set(request.ExcludeCharacters ?? '');
  const kinds = [
    request.ExcludeLowercase === true ? '' : lowercase,
    request.ExcludeUppercase === true ? '' : uppercase,
    request.ExcludeNumbers === true ? '' : digits,
    request.ExcludePunctuation === true ? '' : punctuation,
    request.IncludeSpace === true ? ' ' : '',
  ]
    .map((kind) => Array.from(kind).filter((character) => !excluded.has(character)))
    .filter((kind) => kind.length > 0);
  const all = kinds.flat();
  if (all.length === 0)
    throw new ServiceError(
      'InvalidParameterException',
      'No valid characters remain for the password after the exclusions.',
    );
  const required = request.RequireEachIncludedType === false ? [] : kinds;
  if (length < required.length)
    throw new ServiceError(
      'InvalidParameterException',
      `The password length must be at least ${required.length} to hold each included type.`,
    );
  const characters = [
    ...required.map(pick),
    ...Array.from({ length: length - required.length }, () => pick(all)),
  ];
  return shuffle(characters).join('');
}

function pick(characters: readonly string[]): string {
  return characters[randomInt(characters.length)] ?? '';
}

function shuffle(characters: readonly string[]): string[] {
  const shuffled = [...characters];
  for (let index = shuffled.length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [shuffled[index], shuffled[other]] = [shuffled[other] ?? '', shuffled[index] ?? ''];
  }
  return shuffled;
}
