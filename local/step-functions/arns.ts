import type { Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';

type Location = Pick<Surroundings, 'account' | 'partition' | 'region'>;

/** ARN of a state machine. */
export function machineArn({ account, partition, region }: Location, name: string): string {
  return `arn:${partition}:states:${region}:${account}:stateMachine:${name}`;
}

/** ARN of an execution. */
export function executionArn(
  { account, partition, region }: Location,
  machine: string,
  name: string,
): string {
  return `arn:${partition}:states:${region}:${account}:execution:${machine}:${name}`;
}

/** ARN of a Map Run. */
export function mapRunArn(
  { account, partition, region }: Location,
  machine: string,
  label: string,
  id: string,
): string {
  return `arn:${partition}:states:${region}:${account}:mapRun:${machine}/${label}:${id}`;
}

/** The state machine, by name or ARN, that a distributed Map of it belongs to; a label follows a slash. */
export function withoutLabel(machine: string): string {
  return machine.replace(/\/.*$/, '');
}

/** Refuses what is no ARN of this kind, as AWS words it. */
export function assertArn(arn: string, kind: 'execution' | 'mapRun' | 'stateMachine'): void {
  const parts = arn.split(':');
  if (parts[0] !== 'arn' || parts[2] !== 'states' || parts.length < 7)
    throw new ServiceError('InvalidArn', `Invalid Arn: 'Invalid ARN prefix: ${arn}'`);
  if (parts[5] !== kind)
    throw new ServiceError(
      'InvalidArn',
      `Invalid Arn: 'Resource type not valid in this context: ${parts[5] ?? ''}'`,
    );
}

// AWS: no white space, brackets, wildcards, control characters, or any of " # % \ ^ | ~ ` $ & , ; : /
const forbidden = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/;

/** Refuses names of machines and executions that AWS refuses; their length is a matter of the input's shape. */
export function assertName(name: string): void {
  if (!isName(name)) throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
}

/** Whether a name has none of the characters that AWS refuses; labels of distributed Maps keep the same rule. */
export function isName(name: string): boolean {
  return !forbidden.test(name);
}
