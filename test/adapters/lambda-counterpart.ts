import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { Adapter } from '../../adapters/adapter';
import { openLambda } from '../../adapters/lambda/adapter';
import { lambdaDefinition } from '../../adapters/lambda/definition';
import { ScaledClock, VirtualClock } from '../../local/kernel/clock';
import { LambdaService } from '../../local/lambda/lambda-service';
import { pass, passingByWaits } from '../client/virtual-time';
import type { Counterpart } from './contract';
import { type GrantedWorld, LostAnswers, startGrantedWorld } from './granted-world';

/** The function, where a test wants it otherwise; `alias` is what its callers use. */
export interface LambdaOptions {
  readonly alias?: string;
  /** The function's, in seconds; three unless said. */
  readonly timeout?: number;
}

/** A function in the embedded cloud that tells the variables it was started with; with what a test needs beside it. */
export interface LambdaCounterpart extends Counterpart {
  readonly world: GrantedWorld;
  /** An adapter as `open` makes it, for another secret of the function, which has a variable of its own. */
  openFor(variable: string): Adapter;
  /** From now on Lambda applies changes again. */
  repair(): void;
  /** Lets so many seconds pass. */
  passSeconds(seconds: number): Promise<void>;
  /** As the operator, on the function. */
  call(operation: string, input?: Readonly<Record<string, unknown>>): Promise<object>;
  /** What an invocation sees of its environment: a count of its invocations, and the variables. */
  invoke(): Promise<{ readonly count: number; readonly mark?: string | undefined; readonly kept: string }>;
}

const name = 'orders';
const kept = 'the team’s own value';
const source = `let count = 0; exports.handler = async () => ({
  count: ++count, mark: process.env.ROTOR_SECRET_VERSION, kept: process.env.KEPT });`;
const answerShape = z.object({ count: z.number(), mark: z.optional(z.string()), kept: z.string() });
const invokeShape = z.object({ Payload: z.string() });

/** Starts it; `alias` names version 1. */
export async function openLambdaCounterpart({
  alias,
  timeout,
}: LambdaOptions = {}): Promise<LambdaCounterpart> {
  const clock = new VirtualClock();
  const folder = mkdtempSync(path.join(tmpdir(), 'rotor-adapter-'));
  writeFileSync(path.join(folder, 'index.js'), source);
  let refuses = false;
  const services: LambdaService[] = [];
  const world = await startGrantedWorld(clock, (surroundings, roles, endpoint) => {
    const service = new LambdaService(surroundings, {
      endpoint,
      assume: (roleArn, trusted, session) => roles.assume(roleArn, trusted, session),
      appendLog: () => undefined,
      locateCode: () => folder,
      // Code runs in real time, and three seconds are few on a slow machine.
      limits: new ScaledClock(0.01),
      refuseUpdate: () =>
        refuses ? { code: 'InvalidSecurityGroup', reason: 'The security group is gone.' } : undefined,
    });
    services.push(service);
    return [service];
  });
  const call = (operation: string, input: Readonly<Record<string, unknown>> = {}) =>
    world.call('lambda', operation, { FunctionName: name, ...input });
  const { FunctionArn } = z.object({ FunctionArn: z.string() }).parse(
    await call('CreateFunction', {
      Runtime: 'nodejs24.x',
      Role: world.role('orders'),
      Handler: 'index.handler',
      Code: { S3Bucket: 'assets', S3Key: 'orders' },
      Environment: { Variables: { KEPT: kept } },
      ...(timeout === undefined ? {} : { Timeout: timeout }),
    }),
  );
  if (alias !== undefined) {
    await call('PublishVersion');
    await call('CreateAlias', { Name: alias, FunctionVersion: '1' });
    await pass(clock, 5_000);
  }
  const settings = lambdaDefinition.settings.parse({
    function: FunctionArn,
    ...(alias === undefined ? {} : { alias }),
  });
  const answers = new LostAnswers(
    new Set(['UpdateFunctionConfigurationCommand', 'PublishVersionCommand', 'UpdateAliasCommand']),
  );
  const options = world.grant(lambdaDefinition.grants(settings));
  const clients: LambdaClient[] = [];
  const openFor = (variable: string) => {
    const client = new LambdaClient({ ...options, maxAttempts: 1 });
    client.middlewareStack.add(answers.middleware, { step: 'initialize' });
    clients.push(client);
    return openLambda({ ...settings, variable }, client, passingByWaits(clock));
  };
  return {
    world,
    call,
    secrets: [kept],
    open: () => openFor(settings.variable),
    openFor,
    repair: () => {
      refuses = false;
    },
    passSeconds: (seconds) => pass(clock, seconds * 1_000),
    acts: () =>
      world.journal.entries.filter(
        ({ operation, roleArn, errorCode }) =>
          operation === 'UpdateFunctionConfiguration' && roleArn !== undefined && errorCode === undefined,
      ).length,
    pass: () => pass(clock, 20_000),
    breakDown: () => {
      refuses = true;
    },
    loseAnswer: () => answers.loseNext(),
    invoke: async () => {
      const { Payload } = invokeShape.parse(
        await call('Invoke', alias === undefined ? {} : { Qualifier: alias }),
      );
      return answerShape.parse(JSON.parse(Payload));
    },
    stop: async () => {
      for (const client of clients) client.destroy();
      for (const service of services) await service.close();
      await world.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
