import { TooManyConsumers } from './errors';
import type { Enrolment, Policy } from './policy';

/** One consumer as the workflow asks it. */
export interface AskedConsumer {
  readonly name: string;
  readonly wave: number;
  /** Account from which the acknowledgement must come. */
  readonly account: string;
  readonly required: boolean;
  /** How long one asking waits for a word, in seconds. */
  readonly askSeconds: number;
  /** How often it is asked again after silence. */
  readonly reminders: number;
  /** Group of optional consumers; null for none. */
  readonly group: string | null;
}

/** How many of a group of optional consumers have to load the new version. */
export interface Quorum {
  readonly group: string;
  readonly members: number;
  readonly least: number;
}

/** A consumer that is told and not waited for. */
export interface InformedConsumer {
  readonly name: string;
  readonly wave: number;
}

/** Who is told in which order. */
export interface Waves {
  /** Each wave's consumers, first wave first; no wave is empty. */
  readonly waves: readonly (readonly AskedConsumer[])[];
  readonly informed: readonly InformedConsumer[];
  /** Who tries the new version before AWSCURRENT names it. */
  readonly verifiers: readonly AskedConsumer[];
  readonly quorums: readonly Quorum[];
}

/** How long anybody is waited for where the credential is compromised, in seconds. */
const urgentSeconds = 60;

/**
 * What a plan may have in bytes: Step Functions passes 256 KiB between states, and the outcomes of all consumers, which
 * are about as long as the plan, have to fit the event of success beside other members.
 */
const mostPlanBytes = 200_000;

/** TooManyConsumers where the plan of a rotation is larger than Step Functions could pass on. */
export function assertFits(plan: object): void {
  const bytes = Buffer.byteLength(JSON.stringify(plan));
  if (bytes > mostPlanBytes)
    throw new TooManyConsumers(
      `the plan with all consumers has ${bytes} bytes, and ${mostPlanBytes} can be passed on`,
    );
}

/**
 * Forms one wave of all that are asked at all, for a credential that somebody else may have: everybody gets a short time,
 * nobody can hold the rotation up, and nobody verifies.
 */
export function formUrgentWave(
  enrolments: Readonly<Record<string, Enrolment>>,
  caps: Policy['consumers'],
  ownAccount: string,
): Waves {
  const { waves, informed } = formWaves(enrolments, caps, ownAccount);
  const wave = waves.flat().map((consumer) => {
    const wholeSeconds = Math.min(consumer.askSeconds * (consumer.reminders + 1), urgentSeconds);
    const askSeconds = Math.ceil(wholeSeconds / (consumer.reminders + 1));
    return { ...consumer, wave: 1, required: false, group: null, askSeconds };
  });
  return { waves: wave.length === 0 ? [] : [wave], informed, verifiers: [], quorums: [] };
}

/**
 * Forms the waves of one rotation from the enrolments, within the bounds that the policy sets.
 *
 * The deadline is shared out evenly among the first request and the reminders. The order within a wave is by name, so
 * that two executions of one rotation look alike.
 */
export function formWaves(
  enrolments: Readonly<Record<string, Enrolment>>,
  caps: Policy['consumers'],
  ownAccount: string,
): Waves {
  const names = Object.keys(enrolments).sort();
  const waves = new Map<number, AskedConsumer[]>();
  const informed: InformedConsumer[] = [];
  const verifiers: AskedConsumer[] = [];
  for (const name of names) {
    const enrolment = enrolments[name];
    if (enrolment === undefined) continue;
    if (enrolment.acknowledge === 'none') {
      informed.push({ name, wave: enrolment.wave });
      continue;
    }
    const deadline = Math.min(enrolment.deadlineSeconds, caps.maxDeadlineSeconds);
    const share = (seconds: number) => Math.max(1, Math.ceil(seconds / (enrolment.reminders + 1)));
    const asked: AskedConsumer = {
      name,
      wave: enrolment.wave,
      account: enrolment.account ?? ownAccount,
      required: enrolment.acknowledge === 'required' && (caps.mayRequire?.includes(name) ?? true),
      askSeconds: share(deadline),
      reminders: enrolment.reminders,
      group: enrolment.group ?? null,
    };
    if (enrolment.phase === 'verify')
      verifiers.push({ ...asked, askSeconds: share(Math.min(deadline, caps.maxVerifySeconds)) });
    waves.set(enrolment.wave, [...(waves.get(enrolment.wave) ?? []), asked]);
  }
  const inOrder = [...waves.entries()].sort(([a], [b]) => a - b).map(([, consumers]) => consumers);
  return { waves: inOrder, informed, verifiers, quorums: quorumsOf(inOrder.flat(), caps.quorum) };
}

/** Shares as numbers of consumers; a group that nobody is in asks for nobody. */
function quorumsOf(consumers: readonly AskedConsumer[], shares: Policy['consumers']['quorum']): Quorum[] {
  return Object.entries(shares).flatMap(([group, share]) => {
    const members = consumers.filter((consumer) => consumer.group === group && !consumer.required).length;
    return members === 0 ? [] : [{ group, members, least: Math.ceil(share * members) }];
  });
}
