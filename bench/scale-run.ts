import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { consumerSource, detailTypes, rotorSource } from '../domain/events';
import { consumerParameter, executionName, stateMachineName } from '../domain/names';
import { startCloud, type Cloud } from '../local/cloud';
import { costOf } from '../local/rehearsal/cost';
import { wayOf } from '../local/rehearsal/history';
import { testOfCurrent } from '../local/rehearsal/seeding';
import { scaleSecret } from './scale-app';

/** What one rotation with so many consumers in one wave took. */
export interface ScaleFigures {
  readonly consumers: number;
  /** Of the execution and of those that a large wave starts. */
  readonly transitions: number;
  /** Of the execution itself, which may have 25,000. */
  readonly historyEvents: number;
  /** Of the longest execution that a large wave has started; 0 where there is none. */
  readonly longestIteration: number;
  /** US dollars on AWS. */
  readonly costUsd: number;
  /** From the first request to the last acknowledgement. */
  readonly lastAcknowledgementMs: number;
  /** Bytes of the longest text that passed between two states, of 262,144. */
  readonly longestPayload: number;
  /** Resident memory of the process that holds cloud, functions and consumers, at its highest. */
  readonly peakMiB: number;
}

/** Rotates once with so many consumers in one wave, who answer at once, and measures. */
export async function runScale(consumers: number): Promise<ScaleFigures> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'rotor-scale-'));
  const root = path.resolve(__dirname, '..');
  execFileSync(process.execPath, [path.join(root, 'bin/run.mjs'), 'bench/scale-app.ts', folder], {
    cwd: root,
    env: { ...process.env, CDK_VALIDATION: 'false' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const asked: number[] = [];
  const answers: Promise<unknown>[] = [];
  const last = { heardAt: 0 };
  const cloud: Cloud = await startCloud({
    onEvent: ({ source, 'detail-type': type, detail }) => {
      if (source === consumerSource) last.heardAt = performance.now();
      if (source !== rotorSource || type !== detailTypes.refreshRequested) return;
      asked.push(performance.now());
      answers.push(acknowledge(cloud, detail));
    },
  });
  try {
    await cloud.deploy(folder);
    await testOfCurrent(cloud, scaleSecret);
    for (let index = 1; index <= consumers; index++)
      await cloud.call('ssm', 'PutParameter', {
        Name: consumerParameter(scaleSecret, `consumer-${String(index).padStart(4, '0')}`),
        Value: '{}',
        Type: 'String',
      });
    const before = {
      journal: cloud.journal.entries.length,
      invocations: cloud.invocations.length,
      events: cloud.customEvents(),
    };
    const { ARN: secretArn, VersionId: token } = await cloud.call<{ ARN: string; VersionId: string }>(
      'secretsmanager',
      'RotateSecret',
      { SecretId: scaleSecret, ClientRequestToken: crypto.randomUUID() },
    );
    const executionArn = `arn:aws:states:${cloud.region}:${cloud.account}:execution:${stateMachineName}:${executionName(secretArn, token, 1, 'rotate')}`;
    const loaded = await outcomeOf(cloud, executionArn);
    if (loaded !== consumers) throw new Error(`${loaded} of ${consumers} consumers have loaded the version`);
    await Promise.all(answers);
    await cloud.idle();
    const history = await cloud.history(executionArn);
    const children = await Promise.all((await cloud.children(executionArn)).map((arn) => cloud.history(arn)));
    const transitions = [history, ...children].reduce((sum, events) => sum + wayOf(events).transitions, 0);
    return {
      consumers,
      transitions,
      historyEvents: history.length,
      longestIteration: Math.max(0, ...children.map(({ length }) => length)),
      costUsd: costOf({
        transitions,
        secretsManagerCalls: cloud.journal.entries
          .slice(before.journal)
          .filter(({ service }) => service === 'secretsmanager').length,
        invocations: cloud.invocations.slice(before.invocations),
        customEvents: cloud.customEvents() - before.events,
        snsPublishes: 0,
      }),
      lastAcknowledgementMs: Math.round(last.heardAt - Math.min(...asked)),
      longestPayload: Math.max(...history.flatMap(textsIn).map((text) => Buffer.byteLength(text))),
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    await cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function acknowledge(cloud: Cloud, request: Readonly<Record<string, unknown>>): Promise<void> {
  const { consumer, secret, versionId, taskToken } = request;
  const answer = {
    schemaVersion: '1',
    consumer,
    secret,
    versionId,
    taskToken,
    outcome: 'loaded',
    time: new Date().toISOString(),
  };
  await cloud.call('eventbridge', 'PutEvents', {
    Entries: [
      {
        EventBusName: 'rotor',
        Source: consumerSource,
        DetailType: detailTypes.refreshAcknowledged,
        Detail: JSON.stringify(answer),
      },
    ],
  });
}

/** Waits for the end of an execution; answers how many consumers have loaded the version. */
async function outcomeOf(cloud: Cloud, executionArn: string): Promise<number> {
  for (;;) {
    const ended = await cloud
      .call<{ status: string; output?: string; cause?: string }>('sfn', 'DescribeExecution', { executionArn })
      .catch(() => undefined);
    if (ended?.status === 'SUCCEEDED') {
      const { consumers } = JSON.parse(ended.output ?? '{}') as {
        readonly consumers: readonly { readonly outcome: string }[];
      };
      return consumers.filter(({ outcome }) => outcome === 'loaded').length;
    }
    if (ended !== undefined && ended.status !== 'RUNNING')
      throw new Error(`the rotation is ${ended.status}: ${ended.cause ?? ''}`);
    await pause(20);
  }
}

function textsIn(event: object): string[] {
  return Object.values(event).flatMap((value: unknown) =>
    typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? textsIn(value) : [],
  );
}

if (require.main === module)
  void runScale(Number(process.argv[2])).then((figures) => console.log(JSON.stringify(figures)));
