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
  for (const name of names) {
    const enrolment = enrolments[name];
    if (enrolment === undefined) continue;
    if (enrolment.acknowledge === 'none') {
      informed.push({ name, wave: enrolment.wave });
      continue;
    }
    const deadline = Math.min(enrolment.deadlineSeconds, caps.maxDeadlineSeconds);
    const asked: AskedConsumer = {
      name,
      wave: enrolment.wave,
      account: enrolment.account ?? ownAccount,
      required: enrolment.acknowledge === 'required' && (caps.mayRequire?.includes(name) ?? true),
      askSeconds: Math.max(1, Math.ceil(deadline / (enrolment.reminders + 1))),
      reminders: enrolment.reminders,
    };
    waves.set(enrolment.wave, [...(waves.get(enrolment.wave) ?? []), asked]);
  }
  const inOrder = [...waves.entries()].sort(([a], [b]) => a - b).map(([, consumers]) => consumers);
  return { waves: inOrder, informed };
}
