import * as z from 'zod/mini';
import type { AdapterDefinition, AdapterGrant } from '../adapter';

/** AWS's limits (SendCommand): 50 instances by id; 5 criteria. Values may be CDK tokens, whose form nobody knows yet. */
const name = z.string().check(z.minLength(1));
const instances = z.strictObject({ instanceIds: z.array(name).check(z.minLength(1), z.maxLength(50)) });
/** So many statements a role's policy is given for tags at the most: one for each combination of values. */
const mostCombinations = 10;
const tagged = z.strictObject({
  /** Tag keys and their values: an instance is meant that has one of the values of every key. */
  tags: z
    .record(name, z.array(name).check(z.minLength(1)))
    .check(
      z.refine(
        (tags) =>
          Object.keys(tags).length > 0 && Object.keys(tags).length <= 5 && product(tags) <= mostCombinations,
      ),
    ),
});

const settings = z
  .strictObject({
    /** Name of the Command document, or the ARN of one that another account shares. */
    documentName: z._default(name, 'AWS-RunShellScript'),
    /** What the document takes. Public: it stands in Systems Manager's history and in the function's environment. */
    parameters: z._default(z.record(name, z.array(z.string())), {}),
    targets: z.union([instances, tagged]),
    /** How many instances at a time: a number or a percentage. Absent: AWS's default, 50. */
    maxConcurrency: z.optional(z.string().check(z.regex(/^(?:[1-9]\d{0,6}|[1-9]\d?%|100%)$/))),
    /** After how many failures AWS leaves the remaining instances alone. Absent: AWS's default, 0. */
    maxErrors: z.optional(z.string().check(z.regex(/^(?:[1-9]\d{0,6}|0|[1-9]\d%|\d%|100%)$/))),
    /** How long the command may wait for an instance's agent before it is started there (AWS: 30 s to 30 days). */
    timeoutSeconds: z._default(z.int().check(z.gte(30), z.lte(2_592_000)), 600),
    /**
     * What an instance means that Systems Manager cannot reach: it may still use the old credential (`refuse`), or it is
     * switched off and reads the secret when it starts (`accept`). Only by tags: SendCommand refuses all instances where one
     * of those named by id is not in a valid state (AWS: InvalidInstanceId).
     */
    unreachable: z._default(z.enum(['refuse', 'accept']), 'refuse'),
    /**
     * So many instances the command must have gone to. By tags AWS finds those that Systems Manager manages, and says nothing
     * of others that have the tags. Absent: one.
     */
    minimumInstances: z.optional(z.int().check(z.gte(1))),
  })
  .check(
    z.refine(
      ({ documentName, parameters }) =>
        documentName !== 'AWS-RunShellScript' || (parameters['commands'] ?? []).length > 0,
      { path: ['parameters', 'commands'] },
    ),
    z.refine(({ targets, unreachable }) => unreachable === 'refuse' || 'tags' in targets, {
      path: ['unreachable'],
    }),
  );

/** What the adapter for Run Command is told. */
export type SsmSettings = z.output<typeof settings>;

/** Runs a command on EC2 instances and hybrid nodes by Systems Manager. */
export const ssmDefinition = {
  settings,
  grants: ({ documentName, targets }) => [
    { actions: ['ssm:SendCommand'], resources: [documentArn(documentName)] },
    ...('tags' in targets ? byTags(targets.tags) : byIds(targets.instanceIds)),
    // Systems Manager knows no resources for these two.
    { actions: ['ssm:ListCommands', 'ssm:ListCommandInvocations'], resources: ['*'] },
  ],
  lookEverySeconds: 10,
} as const satisfies AdapterDefinition<SsmSettings>;

/** AWS's own documents have no account in their ARN, a team's have; the pattern is right for both. */
function documentArn(document: string): string {
  return document.startsWith('arn:') ? document : `arn:*:ssm:*:*:document/${document}`;
}

function byIds(ids: readonly string[]): readonly AdapterGrant[] {
  const resources = ids.map((id) =>
    id.startsWith('mi-') ? `arn:*:ssm:*:*:managed-instance/${id}` : `arn:*:ec2:*:*:instance/${id}`,
  );
  return [{ actions: ['ssm:SendCommand'], resources }];
}

/** Of instances that are not tagged so, the invocation ends as AccessDenied. */
function byTags(tags: Readonly<Record<string, readonly string[]>>): readonly AdapterGrant[] {
  return combinations(Object.entries(tags)).map((pairs) => ({
    actions: ['ssm:SendCommand'],
    resources: ['arn:*:ec2:*:*:instance/*', 'arn:*:ssm:*:*:managed-instance/*'],
    conditions: {
      StringEquals: Object.fromEntries(pairs.map(([key, value]) => [`ssm:resourceTag/${key}`, value])),
    },
  }));
}

type Pair = readonly [key: string, value: string];

function combinations(tags: readonly (readonly [string, readonly string[]])[]): readonly (readonly Pair[])[] {
  return tags.reduce<readonly (readonly Pair[])[]>(
    (made, [key, values]) =>
      made.flatMap((pairs) => values.map((value) => [...pairs, [key, value] as const])),
    [[]],
  );
}

function product(tags: Readonly<Record<string, readonly string[]>>): number {
  return Object.values(tags).reduce((count, values) => count * values.length, 1);
}
