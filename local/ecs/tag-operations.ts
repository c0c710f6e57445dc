import * as z from 'zod';
import { ServiceError, type Call, type Operation, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { EcsService } from './model';
import type { EcsStore } from './store';

/** What keys and values of tags may hold (AWS: Amazon ECS, "Tagging Amazon ECS resources"). */
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

const tagShape = z.object({
  resourceArn: z.string(),
  tags: z.array(
    z.strictObject({
      key: z.string().min(1).max(128).regex(tagText),
      value: z.optional(z.string().max(256).regex(tagText)),
    }),
  ),
});
const listShape = z.object({ resourceArn: z.string() });

/** Most tags that a resource may have. */
const mostTags = 50;

/** Tags of services. */
export function tagOperations(surroundings: Surroundings, store: EcsStore) {
  const named = (
    call: Call,
    action: string,
    arn: string,
    conditions: Readonly<Record<string, string | readonly string[]>> = {},
  ): EcsService => {
    const present = [...(store.services.get(arn)?.tags ?? [])];
    surroundings.authorize(call, {
      action: `ecs:${action}`,
      resource: arn,
      conditions: {
        ...Object.fromEntries(present.map(([key, value]) => [`aws:ResourceTag/${key}`, value])),
        ...conditions,
      },
    });
    const service = store.services.get(arn);
    if (service !== undefined) return service;
    if (!arn.includes(':service/'))
      throw new ServiceError(
        'UnsupportedParameter',
        `The embedded cloud does not implement ${action} with resourceArn of anything but a service.`,
      );
    throw new ServiceError(
      'InvalidParameterException',
      'The specified service does not exist. Specify a valid service and try again.',
    );
  };

  const tagResource: Operation = async (input, call) => {
    const { resourceArn, tags } = parseInput('TagResource', tagShape, input);
    const service = named(call, 'TagResource', resourceArn, {
      'aws:TagKeys': tags.map(({ key }) => key),
      ...Object.fromEntries(tags.map(({ key, value = '' }) => [`aws:RequestTag/${key}`, value])),
    });
    if (new Set([...service.tags.keys(), ...tags.map(({ key }) => key)]).size > mostTags)
      throw new ServiceError('InvalidParameterException', `A resource can have at most ${mostTags} tags.`);
    for (const { key, value = '' } of tags) service.tags.set(key, value);
    return {};
  };

  const listTagsForResource: Operation = async (input, call) => {
    const { resourceArn } = parseInput('ListTagsForResource', listShape, input);
    const service = named(call, 'ListTagsForResource', resourceArn);
    return { tags: [...service.tags].map(([key, value]) => ({ key, value })) };
  };

  return { TagResource: tagResource, ListTagsForResource: listTagsForResource };
}
