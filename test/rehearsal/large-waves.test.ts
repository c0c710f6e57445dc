import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as z from 'zod/mini';
import { scaleSecret, synthesiseScale } from '../../bench/scale-app';
import { detailTypes, eventSchemas } from '../../domain/events';
import { consumerParameter } from '../../domain/names';
import { startCloud, type Cloud } from '../../local/cloud';
import type { Event } from '../../local/events/event';
import { testOfCurrent } from '../../local/rehearsal/seeding';
import { eventually } from './eventually';
import { acknowledge } from './hand-made-consumer';

/** One more than an inline Map runs at once, and some. */
const consumers = Array.from({ length: 45 }, (_, index) => `consumer-${String(index)}`);
const refusing = 'consumer-7';

/** CDK's own check of templates takes a second, and is made by the tests of the example. */
process.env['CDK_VALIDATION'] = 'false';

let cloud: Cloud;
let folder: string;
const heard: Event[] = [];
/** The only version that `consumer-7` can work with; undefined while it takes any. */
const state: { only: string | undefined } = { only: undefined };
const answers: Promise<unknown>[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'rotor-large-'));
  cloud = await startCloud({
    onEvent: (event) => {
      heard.push(event);
      if (event['detail-type'] === detailTypes.refreshRequested) answers.push(answer(event.detail));
    },
  });
  synthesiseScale(folder);
  await cloud.deploy(folder);
  await testOfCurrent(cloud, scaleSecret);
  for (const name of consumers)
    await cloud.call('ssm', 'PutParameter', {
      Name: consumerParameter(scaleSecret, name),
      Value: '{}',
      Type: 'String',
    });
}, 400_000);
afterAll(async () => {
  await Promise.all(answers);
  await cloud.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A request that waits for an answer, as each of these does. */
const asked = z.extend(eventSchemas[detailTypes.refreshRequested], { taskToken: z.string() });

/** Every application has the version at once, but the one that refuses. */
async function answer(detail: unknown): Promise<void> {
  const request = asked.parse(detail);
  const isStranger = state.only !== undefined && request.versionId !== state.only;
  const refuses = isStranger && request.consumer === refusing;
  const said = refuses ? { outcome: 'refused', reason: 'it cannot be parsed' } : { outcome: 'loaded' };
  await acknowledge(cloud, request, said);
}

async function current(): Promise<string | undefined> {
  const { VersionIdsToStages: stages } = await cloud.call<{ VersionIdsToStages: Record<string, string[]> }>(
    'secretsmanager',
    'DescribeSecret',
    { SecretId: scaleSecret },
  );
  return Object.entries(stages).find(([, labels]) => labels.includes('AWSCURRENT'))?.[0];
}

/** Rotates, and waits for the event by which the rotation says that it is over. */
async function rotate(): Promise<Event> {
  heard.length = 0;
  await cloud.call('secretsmanager', 'RotateSecret', {
    SecretId: scaleSecret,
    ClientRequestToken: crypto.randomUUID(),
  });
  const isEnd = (event: Event) =>
    event['detail-type'] === detailTypes.succeeded || event['detail-type'] === detailTypes.failed;
  await eventually('the rotation ends', () => Promise.resolve(heard.some(isEnd)), 300_000);
  await cloud.idle();
  const end = heard.find(isEnd);
  if (end === undefined) throw new Error('the rotation has no end');
  return end;
}

test('forty-five applications are asked at once, as executions of their own, with the roles of the template', async () => {
  const end = await rotate();
  expect(end['detail-type']).toBe(detailTypes.succeeded);
  const detail = end.detail as {
    readonly versionId: string;
    readonly consumers: readonly { readonly outcome: string }[];
  };
  expect(detail.consumers.map(({ outcome }) => outcome)).toEqual(consumers.map(() => 'loaded'));
  expect(await current()).toBe(detail.versionId);
}, 400_000);

test('the one that refuses is found out, everybody is asked back, and the old value is in use again', async () => {
  const before = await current();
  state.only = before;
  const end = await rotate();
  expect(end['detail-type']).toBe(detailTypes.failed);
  expect(end.detail).toMatchObject({
    error: 'ConsumerRefused',
    outcome: 'reverted',
    current: before,
  });
  expect((end.detail as { readonly cause: string }).cause).toMatch(
    /^consumer consumer-7 refused version \S+: it cannot be parsed$/,
  );
  expect(await current()).toBe(before);
  const askedBack = heard
    .filter((event) => event['detail-type'] === detailTypes.refreshRequested)
    .map(({ detail }) => asked.parse(detail))
    .filter(({ versionId }) => versionId === before);
  expect(new Set(askedBack.map(({ consumer }) => consumer))).toEqual(new Set(consumers));
}, 400_000);
