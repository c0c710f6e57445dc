import { randomBytes } from 'node:crypto';
import { SamePrincipal } from '../../domain/errors';
import { refuseRepetition } from '../repetition';
import type { Rotator } from '../rotator';
import { valueOf, type GeneratedSecret, type GeneratedSettings } from './definition';

/**
 * A value that only its users share.
 *
 * There is no target: a value is in force because it stands under AWSCURRENT, and goes on being so under AWSPREVIOUS until
 * the next rotation. So there is nothing to set or to stop, and the labels that the workflow moves do all of it.
 */
export const generated: Rotator<GeneratedSecret, GeneratedSecret, GeneratedSettings> = {
  async create(from, { settings, password }) {
    const { member, format, bytes, prefix } = settings;
    refuseRepetition(from, [member], valueOf(from, settings));
    const drawn = format === 'password' ? password() : randomBytes(bytes).toString(format);
    return { ...from, [member]: `${prefix}${drawn}` };
  },

  apply: () => Promise.resolve({}),

  async verify(secret, { settings }) {
    valueOf(secret, settings);
  },

  async retire({ from, to }, { settings }) {
    if (valueOf(from, settings) === valueOf(to, settings))
      throw new SamePrincipal(`both versions of the secret hold the same ${settings.member}`);
  },
};
