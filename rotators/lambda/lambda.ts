import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import {
  AdminMissing,
  CredentialRejected,
  CredentialUnusable,
  SamePrincipal,
  TargetRefused,
} from '../../domain/errors';
import { refuseRepetition } from '../repetition';
import type { Change, Rotator, RotatorContext } from '../rotator';
import { principalOf, textOf, type OwnSecret, type OwnSettings } from './definition';
import { ask } from './connection';

const moment = z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text))));
const holder = z.object({
  application: z.nullable(z.string()),
  clientAddress: z.nullable(z.string()),
  count: z.int().check(z.gte(1)),
  newestBegan: z.nullable(moment),
  oldestBegan: z.nullable(moment),
  openSeconds: z._default(z.nullable(z.number().check(z.gte(0))), null),
});
const usageResult = z.object({
  begun: z.array(holder),
  open: z.array(holder),
  looks: z.int().check(z.gte(1)),
});
const endResult = z.object({ ended: z.array(holder) });
const nothing = z.object({});

type Context = RotatorContext<OwnSecret, OwnSettings>;

/** A rotator whose verbs are a team's own function: each is one invocation, and what it answers is checked. */
export const lambda: Rotator<OwnSecret, OwnSecret, OwnSettings> = {
  async create(from, context, { versionId, replacedAt, others, pinned = [] }) {
    const { settings } = context;
    const { generated } = settings;
    if (generated !== undefined) return replaced(from, generated, context);
    principalOf(from, settings);
    requireAdmin(context);
    const password = context.password();
    const to = await ask(
      'create',
      { from, versionId, password, others, pinned, ...since(replacedAt) },
      z.looseObject({}),
      context,
    );
    principalOf(to, settings);
    // Nothing has been changed yet; from here on the target would be told to give the credential in use another value.
    const same = sameCredential({ from, to }, settings);
    if (same !== undefined)
      throw new TargetRefused(`create by ${settings.function} answered no replacement: ${same}`);
    return to;
  },

  async apply({ from, to }, context, { replacedAt }) {
    checkBoth({ from, to }, context);
    requireAdmin(context);
    const applied = z.object({ gapBegan: z.optional(moment) });
    const { gapBegan } = await ask('apply', { from, to, ...since(replacedAt) }, applied, context);
    return gapBegan === undefined ? {} : { gapBegan };
  },

  async verify(secret, context) {
    principalOf(secret, context.settings);
    await ask('verify', { secret }, nothing, context);
  },

  async usage(secret, { since: began, watchMs }, context) {
    principalOf(secret, context.settings);
    requireAdmin(context);
    return ask('usage', { secret, since: began.toISOString(), watchMs }, usageResult, context);
  },

  async retire({ from, to }, context) {
    checkBoth({ from, to }, context);
    const same = sameCredential({ from, to }, context.settings);
    if (same !== undefined) throw new SamePrincipal(`what is to be stopped is what is to be kept: ${same}`);
    requireAdmin(context);
    if (context.settings.retirement === 'reversible') await refuseIfDead(to, context);
    await ask('retire', { from, to }, nothing, context);
  },

  async end(secret, context) {
    principalOf(secret, context.settings);
    requireAdmin(context);
    return (await ask('end', { secret }, endResult, context)).ended;
  },
};

/** Says in what two values are one credential, by what the settings tell of it; undefined where they are two. */
function sameCredential(
  { from, to }: Change<OwnSecret>,
  { generated, overlap, principal }: Context['settings'],
): string | undefined {
  if (isDeepStrictEqual(from, to)) return 'both values are equal';
  if (generated !== undefined && isDeepStrictEqual(from[generated], to[generated]))
    return `both values have the same ${generated}`;
  if (overlap === 'two-principals' && isDeepStrictEqual(from[principal], to[principal]))
    return `both values have the same ${principal}`;
  return undefined;
}

/** Nobody knows whether the function looks, and to stop the old credential in favour of a dead one would leave nobody. */
async function refuseIfDead(to: OwnSecret, context: Context): Promise<void> {
  try {
    await ask('verify', { secret: to }, nothing, context);
  } catch (error) {
    if (!(error instanceof CredentialRejected)) throw error;
    throw new CredentialUnusable(
      `${error.message}: the credential to keep does not work, and stopping the other would leave nobody`,
    );
  }
}

/** The value in use with one member drawn anew. SecretMalformed where another member repeats the old one. */
function replaced(from: OwnSecret, generated: string, { settings, password }: Context): OwnSecret {
  principalOf(from, settings);
  refuseRepetition(from, [generated], textOf(from, generated), generated);
  return { ...from, [generated]: password() };
}

function checkBoth({ from, to }: Change<OwnSecret>, { settings }: Context): void {
  principalOf(from, settings);
  principalOf(to, settings);
}

function requireAdmin({ admin, settings }: Context): void {
  if (admin === undefined && settings.admin === 'required')
    throw new AdminMissing('the policy says that the target needs an admin, and none is named');
}

function since(replacedAt: Date | undefined): { readonly replacedAt?: string } {
  return replacedAt === undefined ? {} : { replacedAt: replacedAt.toISOString() };
}
