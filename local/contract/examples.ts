import { detailTypes } from '../../domain/events';
import type { DetailType } from './descriptions';

const secret = {
  arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/db-AbCdEf',
  name: 'shop/db',
};

const envelope = {
  schemaVersion: '1',
  rotationId: '7e89e9f8-6a1c-4f0b-9d0e-2f4c0f6a1b2c',
  secret,
  versionId: '7e89e9f8-6a1c-4f0b-9d0e-2f4c0f6a1b2c',
  previousVersionId: '1f6e0c1a-5b77-4a55-8d1e-9b8f3c2d4e5f',
};

const loaded = {
  name: 'orders',
  wave: 1,
  required: true,
  outcome: 'loaded',
  ms: 1840,
  reminders: 0,
  group: null,
};

/** One detail of each type, as an application or a dashboard may meet it. */
export const examples: Readonly<Record<DetailType, Readonly<Record<string, unknown>>>> = {
  [detailTypes.started]: {
    ...envelope,
    time: '2026-03-01T03:00:01.250Z',
    rotator: 'postgres-alternating',
    overlap: 'two-principals',
  },
  [detailTypes.refreshRequested]: {
    ...envelope,
    time: '2026-03-01T03:00:02.100Z',
    consumer: 'orders',
    phase: 'load',
    wave: 1,
    deadline: '2026-03-01T03:05:02.100Z',
    taskToken: 'AQCkAAAAKgAAAAMAAAAAAAAAAexample',
  },
  [detailTypes.refreshAcknowledged]: {
    schemaVersion: '1',
    consumer: 'orders',
    secret,
    versionId: envelope.versionId,
    taskToken: 'AQCkAAAAKgAAAAMAAAAAAAAAAexample',
    outcome: 'loaded',
    time: '2026-03-01T03:00:03.940Z',
  },
  [detailTypes.succeeded]: {
    ...envelope,
    time: '2026-03-01T03:00:09.000Z',
    rotator: 'postgres-alternating',
    consumers: [loaded],
    durationMs: 7750,
    gapMs: null,
    sessions: [
      {
        application: 'reports',
        clientAddress: '10.0.12.7',
        count: 2,
        newestBegan: '2026-03-01T02:59:40.000Z',
        oldestBegan: '2026-02-27T08:12:03.000Z',
        openSeconds: 154_084,
      },
    ],
    ended: [
      {
        application: 'reports',
        clientAddress: '10.0.12.7',
        count: 2,
        newestBegan: '2026-03-01T02:59:40.000Z',
        oldestBegan: '2026-02-27T08:12:03.000Z',
        openSeconds: 154_085,
      },
    ],
    decisions: [],
  },
  [detailTypes.failed]: {
    ...envelope,
    time: '2026-03-01T03:00:14.000Z',
    state: 'AskWave',
    error: 'ConsumerRefused',
    cause: 'billing refused: permission denied for table invoices',
    outcome: 'reverted',
    current: envelope.previousVersionId,
    decisions: [],
  },
  [detailTypes.held]: {
    ...envelope,
    time: '2026-03-01T03:15:14.000Z',
    state: 'AskWave',
    error: 'ConsumerSilent',
    cause: 'billing has not answered',
    consumers: [
      loaded,
      { name: 'billing', wave: 1, required: true, outcome: 'silent', ms: 900000, reminders: 2, group: null },
    ],
    choices: ['resume', 'back', 'accept'],
  },
  [detailTypes.decided]: {
    schemaVersion: '1',
    decision: 'resume',
    skip: ['billing'],
    taskToken: 'AQCkAAAAKgAAAAMAAAAAAAAAAexample',
    by: 'alice',
  },
};
