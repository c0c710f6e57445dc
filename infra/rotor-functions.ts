import { Duration } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { type EnvironmentOf, environments, type FunctionName } from '../functions/environment';
import { modulesWithout } from '../rotators/bundling';
import type { RotatorName } from '../rotators/registry';
import { bundle } from './bundle';
import { type NetworkPlacement, RotorFunction } from './rotor-function';

/** What a function is for, how long it may take, and whether it opens connections to targets. */
interface FunctionTraits {
  readonly description: string;
  readonly timeout: Duration;
  readonly memorySize: number;
  readonly reachesTargets: boolean;
}

/** Memory buys processor time: 512 MB where a driver is loaded and a handshake computed, 256 MB elsewhere. */
const traits = {
  rotation: {
    description: 'Answers Secrets Manager, and writes the pending value',
    // What Lambda allows: Secrets Manager waits for finishSecret, and Rotor for the applications.
    timeout: Duration.minutes(15),
    memorySize: 256,
    reachesTargets: false,
  },
  plan: {
    description: 'Reads policy and consumers',
    timeout: Duration.seconds(30),
    memorySize: 256,
    reachesTargets: false,
  },
  'set-secret': {
    description: 'Makes the target accept a credential',
    timeout: Duration.minutes(1),
    memorySize: 512,
    reachesTargets: true,
  },
  'test-secret': {
    description: 'Logs in with a credential',
    timeout: Duration.minutes(1),
    memorySize: 512,
    reachesTargets: true,
  },
  'finish-secret': {
    description: 'Moves labels',
    timeout: Duration.seconds(30),
    memorySize: 256,
    reachesTargets: false,
  },
  usage: {
    description: 'Asks the target who uses the old credential',
    // It watches for drain.quietSeconds on one connection.
    timeout: Duration.minutes(2),
    memorySize: 512,
    reachesTargets: true,
  },
  retire: {
    description: 'Stops a credential',
    timeout: Duration.minutes(1),
    memorySize: 512,
    reachesTargets: true,
  },
  replicas: {
    description: 'Looks which regions serve the new version',
    timeout: Duration.seconds(30),
    memorySize: 256,
    reachesTargets: false,
  },
  acknowledge: {
    description: "Passes consumers' acknowledgements to the workflow",
    timeout: Duration.seconds(30),
    memorySize: 256,
    reachesTargets: false,
  },
  'who-refused': {
    description: 'Reads which application of a large wave refused',
    timeout: Duration.seconds(30),
    memorySize: 256,
    reachesTargets: false,
  },
  decide: {
    description: "Passes operators' decisions to a workflow that waits for them",
    timeout: Duration.seconds(30),
    memorySize: 256,
    reachesTargets: false,
  },
  follow: {
    description: 'Follows a secret that something else than Rotor has written',
    timeout: Duration.seconds(30),
    memorySize: 256,
    reachesTargets: false,
  },
  alert: {
    description: 'Tells people that a rotation failed, and what to do',
    timeout: Duration.seconds(30),
    memorySize: 256,
    reachesTargets: false,
  },
} as const satisfies Record<FunctionName, FunctionTraits>;

/**
 * From Node 20 on, Lambda's runtime no longer trusts Amazon's own authorities, which sign RDS's certificates, by itself
 * (AWS: Lambda, "Node.js 20 runtime"); the file is part of the runtime.
 */
const trustedAuthorities = { NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' };

/** Those that an event brings to life: nobody waits for their answer, so what they fail on is kept. */
const invokedByEvents: ReadonlySet<FunctionName> = new Set(['acknowledge', 'decide', 'follow']);

/** All of Rotor's functions, in the order of the flow. */
export const functionNames = Object.keys(environments) as FunctionName[];

/** What every function is built with. */
export interface RotorFunctionsProps {
  /** Prefix of their names. */
  readonly name: string;
  /** Rotators whose drivers they carry. */
  readonly rotators: readonly RotatorName[];
  readonly environment: { readonly [Name in FunctionName]: EnvironmentOf<Name> };
  readonly logRetention: RetentionDays;
  readonly reservedConcurrency: number | undefined;
  readonly network: NetworkPlacement | undefined;
  readonly deadLetters: IQueue;
}

/** Rotor's functions by name, each from its own bundle. */
export function rotorFunctions(
  scope: Construct,
  props: RotorFunctionsProps,
): Record<FunctionName, RotorFunction> {
  const bundles = bundle(
    Object.fromEntries(functionNames.map((name) => [name, `functions/${name}.ts`])) as Record<
      FunctionName,
      string
    >,
    { without: modulesWithout(props.rotators) },
  );
  const functions = functionNames.map((name): [FunctionName, RotorFunction] => {
    const { description, timeout, memorySize, reachesTargets } = traits[name];
    return [
      name,
      new RotorFunction(scope, pascalCase(name), {
        functionName: `${props.name}-${name}`,
        description,
        timeout,
        memorySize,
        bundle: bundles[name],
        environment: { ...props.environment[name], ...(reachesTargets ? trustedAuthorities : {}) },
        logRetention: props.logRetention,
        ...(name === 'rotation' && props.reservedConcurrency !== undefined
          ? { reservedConcurrentExecutions: props.reservedConcurrency }
          : {}),
        ...(props.network !== undefined &&
        (reachesTargets || (name === 'rotation' && props.network.includeRotation === true))
          ? { network: props.network }
          : {}),
        ...(invokedByEvents.has(name) ? { deadLetterQueue: props.deadLetters } : {}),
      }),
    ];
  });
  return Object.fromEntries(functions) as Record<FunctionName, RotorFunction>;
}

/** `set-secret` as a construct's id: `SetSecret`. */
export function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
