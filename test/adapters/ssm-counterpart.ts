import { SSMClient } from '@aws-sdk/client-ssm';
import type { Adapter } from '../../adapters/adapter';
import { openSsm } from '../../adapters/ssm/adapter';
import { ssmDefinition } from '../../adapters/ssm/definition';
import { VirtualClock } from '../../local/kernel/clock';
import type { Fleet } from '../../local/ssm/fleet';
import { createSystemsManager } from '../../local/ssm/systems-manager';
import { pass, passingByWaits } from '../client/virtual-time';
import type { Counterpart } from './contract';
import { type GrantedWorld, LostAnswers, startGrantedWorld } from './granted-world';

/** What a test may have otherwise than it is by itself. */
export type SsmInput = Parameters<typeof ssmDefinition.settings.parse>[0];

/** Three instances in the embedded cloud that carry the tag role=orders; with what a test needs beside them. */
export interface SsmCounterpart extends Counterpart {
  readonly world: GrantedWorld;
  readonly clock: VirtualClock;
  readonly fleet: Fleet;
  /** What the instances were made to run, in order. */
  readonly ran: readonly string[];
  /** An adapter with other settings, and the grants that follow from them, or from others. */
  openWith(input: SsmInput, granted?: SsmInput): Adapter;
}

/** A value that an instance holds, and prints. */
const held = 'pw-7391-held-by-instances';

/** Starts it. The document succeeds at every instance until `breakDown`. */
export async function openSsmCounterpart(): Promise<SsmCounterpart> {
  const clock = new VirtualClock();
  const ran: string[] = [];
  let exitCode = 0;
  const fleets: Fleet[] = [];
  const stops: (() => void)[] = [];
  const world = await startGrantedWorld(clock, (surroundings) => {
    const systemsManager = createSystemsManager(surroundings);
    fleets.push(systemsManager.fleet);
    stops.push(systemsManager.stop);
    return [systemsManager];
  });
  const [fleet] = fleets;
  if (fleet === undefined) throw new Error('no fleet was made');
  for (const instanceId of ['i-00000001', 'i-00000002', 'i-00000003'])
    fleet.put({
      instanceId,
      tags: { role: 'orders' },
      run: ({ parameters }) => {
        ran.push(`${instanceId} ${parameters['commands']?.join(';') ?? ''}`);
        // A document that says what it should not.
        if (exitCode !== 0) throw new Error(held);
        return exitCode;
      },
    });
  const answers = new LostAnswers(new Set(['SendCommandCommand']));
  const clients: SSMClient[] = [];
  const openWith = (input: SsmInput, granted = input) => {
    const settings = ssmDefinition.settings.parse(input);
    const grants = ssmDefinition.grants(ssmDefinition.settings.parse(granted));
    const options = { ...world.grant(grants), maxAttempts: 1 };
    const [listing, sending] = [new SSMClient(options), new SSMClient(options)];
    sending.middlewareStack.add(answers.middleware, { step: 'initialize' });
    clients.push(listing, sending);
    return openSsm(settings, { listing, sending }, passingByWaits(clock));
  };
  const usual = {
    parameters: { commands: ['systemctl reload orders'] },
    targets: { tags: { role: ['orders'] } },
  };
  return {
    world,
    clock,
    fleet,
    ran,
    secrets: [held],
    openWith,
    open: () => openWith(usual),
    acts: () =>
      world.journal.entries.filter(
        ({ operation, errorCode }) => operation === 'SendCommand' && errorCode === undefined,
      ).length,
    pass: () => pass(clock, 60_000),
    breakDown: () => {
      exitCode = 1;
    },
    loseAnswer: () => answers.loseNext(),
    stop: async () => {
      for (const client of clients) client.destroy();
      for (const stop of stops) stop();
      await world.stop();
    },
  };
}
