import { parseArgs } from 'node:util';
import { decisions, type Decision } from '../../domain/events';
import { openSessions, type Policy } from '../../domain/policy';
import { isRotatorName, rotatorNames, type RotatorName } from '../../rotators/registry';
import { parseFault, type PlannedFault } from './faults';

/** The applications of the example, by the names under which they are enrolled. */
export const applicationNames = ['orders', 'reports', 'billing'] as const;
export type ApplicationName = (typeof applicationNames)[number];

/** AWS keeps 100 versions of a secret, and none younger than a day is removed to make room. */
const mostRotations = 95;

/** What a rehearsal is asked for. */
export interface RehearsalOptions {
  readonly rotator: RotatorName;
  readonly fault: PlannedFault | undefined;
  /** Application that refuses the new version. */
  readonly refuse: ApplicationName | undefined;
  /** Application that never answers. */
  readonly silent: ApplicationName | undefined;
  /** What the operator decides when the rotation is held; absent: nothing, and the rehearsal ends there. */
  readonly decide: Decision | undefined;
  /** What the policy says about sessions that stay open, one of which is kept; absent: the default, and nobody keeps one. */
  readonly drain: Policy['drain']['openSessions'] | undefined;
  readonly rotations: number;
  /** Print the report alone, as JSON, on standard output. */
  readonly json: boolean;
  /** Port of the endpoint; 0 takes a free one. */
  readonly port: number;
  /** Stay until Ctrl-C also where nobody sits at a terminal. */
  readonly keep: boolean;
}

/** A word on the command line that is not understood; the message says which and what would be. */
export class OptionInvalid extends Error {
  override readonly name = 'OptionInvalid';
}

/** The port that the command line names is in use; the message says what to do. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';

  constructor(port: number) {
    super(
      `--port ${port}: something listens there already; end it, name another port, or leave the option out for a free one`,
    );
  }
}

/** Where the explanation of an option begins, and how wide the help is at most. */
const helpIndent = 22;
const helpWidth = 80;

/** Names that an option takes, as many on a line as there is room for. */
function choicesOf(names: readonly string[]): string {
  const lines: string[] = [];
  for (const name of names) {
    const longer = `${lines.at(-1) ?? ''} | ${name}`;
    // The line that is not the last one ends with a bar.
    if (lines.length > 0 && helpIndent + longer.length + 2 <= helpWidth) lines[lines.length - 1] = longer;
    else lines.push(name);
  }
  return lines.join(` |\n${' '.repeat(helpIndent)}`);
}

/** What `npm start -- --help` prints. */
export const usage = `Rehearses a secret rotation on this machine: the deployed template, a real
target, three applications.

  npm start [-- options]

  --rotator NAME      ${choicesOf(rotatorNames)}
                      (default: ${rotatorNames[0] ?? ''})
  --fail STATE[:before|:after][:crash|:timeout|:error][:always]
                      make a task fail once, or every time, before or after
                      its effect (default: before, error); STATE is a task of
                      the workflow
  --refuse NAME       an application that refuses the new version:
                      ${choicesOf(applicationNames)}
  --silent NAME       an application that never answers
  --decide DECISION   what the operator decides about a rotation that is held:
                      ${choicesOf(decisions)}
  --drain RULE        a job that keeps its old session, and what the policy says
                      about it:  ${choicesOf(openSessions)}
  --rotations N       how many rotations, one after the other: 1 to ${mostRotations}
                      (default: 1)
  --json              the report alone, as JSON, on standard output
  --port N            port of the endpoint (default: a free one)
  --keep              stay until Ctrl-C, also without a terminal

Exit code: 0 rotated, 2 failed safely or held (an alert says what is true),
1 anything else.
`;

/** Reads the command line. OptionInvalid names the option and what it takes; `help` where help was asked for. */
export function parseOptions(words: readonly string[]): RehearsalOptions | 'help' {
  const values = read(words);
  if (values.help === true) return 'help';
  return {
    rotator: rotatorOf(values.rotator),
    fault: values.fail === undefined ? undefined : faultOf(values.fail),
    refuse: applicationOf('--refuse', values.refuse),
    silent: applicationOf('--silent', values.silent),
    decide: decisionOf(values.decide),
    drain: ruleOf(values.drain),
    rotations: numberOf('--rotations', values.rotations ?? '1', 1, mostRotations),
    json: values.json === true,
    port: numberOf('--port', values.port ?? '0', 0, 65_535),
    keep: values.keep === true,
  };
}

function read(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        rotator: { type: 'string' },
        fail: { type: 'string' },
        refuse: { type: 'string' },
        silent: { type: 'string' },
        decide: { type: 'string' },
        drain: { type: 'string' },
        rotations: { type: 'string' },
        json: { type: 'boolean' },
        port: { type: 'string' },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new OptionInvalid(error instanceof Error ? error.message : String(error));
  }
}

function rotatorOf(name: string | undefined): RotatorName {
  const chosen = name ?? rotatorNames[0] ?? '';
  if (isRotatorName(chosen)) return chosen;
  throw new OptionInvalid(`--rotator ${chosen}: there are ${rotatorNames.join(', ')}`);
}

function faultOf(text: string): PlannedFault {
  const fault = parseFault(text);
  if (typeof fault !== 'string') return fault;
  throw new OptionInvalid(`--fail ${text}: ${fault}`);
}

function applicationOf(option: string, name: string | undefined): ApplicationName | undefined {
  const found = applicationNames.find((known) => known === name);
  if (name !== undefined && found === undefined)
    throw new OptionInvalid(`${option} ${name}: the applications are ${applicationNames.join(', ')}`);
  return found;
}

function decisionOf(word: string | undefined): Decision | undefined {
  const found = decisions.find((known) => known === word);
  if (word !== undefined && found === undefined)
    throw new OptionInvalid(`--decide ${word}: there are ${decisions.join(', ')}`);
  return found;
}

function ruleOf(word: string | undefined): RehearsalOptions['drain'] {
  const found = openSessions.find((known) => known === word);
  if (word !== undefined && found === undefined)
    throw new OptionInvalid(`--drain ${word}: there are ${openSessions.join(', ')}`);
  return found;
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new OptionInvalid(`${option} ${text}: must be a whole number from ${least} to ${most}`);
}
