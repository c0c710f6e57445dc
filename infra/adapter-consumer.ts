import { createHash } from 'node:crypto';
import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { AdapterGrant } from '../adapters/adapter';
import {
  adapterNames,
  type AdapterEnvironment,
  type AdapterName,
  resolveAdapter,
  type SettingsInput,
} from '../adapters/definitions';
import { busName } from '../domain/events';
import type { EnrolmentInput } from '../domain/policy';
import { acceptPattern } from './accepted';
import { bundleOf } from './bundle';
import { checkConsumer, checkSecretName } from './checks';
import { deadLetterQueue } from './dead-letter-queue';
import { mayAcknowledge, RotationConsumer } from './rotation-consumer';
import { type NetworkPlacement, RotorFunction } from './rotor-function';
import { secretArnOf } from './secret-arns';

/** What every application says that takes part through an adapter, whichever that is. */
export interface AdaptedConsumerProps {
  /** Name of the application. */
  readonly consumer: string;
  readonly secretName: string;
  /** Default: the secret of that name in this account and region. */
  readonly secretArn?: string;
  /** Default: those of domain/policy.ts. An adapter cannot take part in phase `verify`. */
  readonly enrolment?: EnrolmentInput;
  /** Name of Rotor's bus in this account and region. Default: `rotor`. */
  readonly busName?: string;
  /** Where the adapter's function stands, for services that a private network alone reaches. Default: in no VPC. */
  readonly network?: NetworkPlacement;
  /** Default: a month. */
  readonly logRetention?: RetentionDays;
}

/** One application that cannot be changed, and the adapter that acts for it. */
export interface AdapterConsumerProps<Name extends AdapterName> extends AdaptedConsumerProps {
  readonly adapter: Name;
  /** What the adapter acts on; values may be tokens. Public. */
  readonly settings: SettingsInput<Name>;
}

/**
 * How long an event is tried: three attempts of 15 minutes, and the minutes between them.
 *
 * Lambda waits one minute and then two (AWS: Lambda, "How Lambda handles errors and retries with asynchronous invocation").
 */
const maxEventAge = Duration.hours(1);

/**
 * Enrols an application through an adapter: a function that makes it load the new version, waits for the steady state,
 * and acknowledges for it.
 *
 * Like any consumer it knows the orchestrator by names alone. The function has a role of its own, which reads the
 * secret's labels, acknowledges, and does what the adapter's definition says; it cannot read the value.
 */
export class AdapterConsumer<Name extends AdapterName> extends Construct {
  readonly function: RotorFunction;
  readonly consumer: RotationConsumer;
  /** Requests that the function failed on three times. */
  readonly failedRequests: Queue;

  constructor(scope: Construct, id: string, props: AdapterConsumerProps<Name>) {
    super(scope, id);
    const { adapter, consumer, secretName, enrolment } = props;
    const stack = Stack.of(this);
    if (enrolment?.phase === 'verify') {
      throw new Error(
        `${this.node.path}: VerifyUnsupported: an adapter cannot try a version before AWSCURRENT names it`,
      );
    }
    checkSecretName(this, secretName, props.secretArn);
    checkConsumer(this, consumer);
    if (!adapterNames.includes(adapter)) {
      throw new Error(
        `${this.node.path}: there is no adapter ${adapter}; there are ${adapterNames.join(', ')}`,
      );
    }
    const { settings, grants } = resolveAdapter(adapter, props.settings);
    const environment: AdapterEnvironment = {
      CONSUMER: consumer,
      SECRET_NAME: secretName,
      BUS_NAME: props.busName ?? busName,
      SETTINGS: stack.toJsonString(settings),
    };
    this.failedRequests = deadLetterQueue(this, 'FailedRequests');
    this.function = new RotorFunction(this, 'Adapter', {
      functionName: functionName(secretName, consumer),
      description: `Acts for ${consumer} when Rotor asks: ${adapter}`.slice(0, 256),
      bundle: bundleOf(`adapter-${adapter}`, `adapters/${adapter}/main.ts`),
      environment,
      timeout: Duration.minutes(15),
      memorySize: 256,
      logRetention: props.logRetention ?? RetentionDays.ONE_MONTH,
      deadLetterQueue: this.failedRequests,
      ...(props.network === undefined ? {} : { network: props.network }),
    });
    this.function.function.configureAsyncInvoke({ retryAttempts: 2, maxEventAge });
    const secretArn = props.secretArn ?? secretArnOf(this, secretName);
    const { role } = this.function;
    role.addToPolicy(
      new PolicyStatement({ actions: ['secretsmanager:DescribeSecret'], resources: [secretArn] }),
    );
    role.addToPolicy(
      mayAcknowledge(
        stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: environment.BUS_NAME }),
      ),
    );
    for (const grant of grants) this.grant(adapter, grant);
    this.consumer = new RotationConsumer(this, 'Consumer', {
      consumer,
      secretName,
      target: { kind: 'function', function: this.function.function },
      ...(enrolment === undefined ? {} : { enrolment }),
      ...(props.secretArn === undefined ? {} : { secretArn: props.secretArn }),
      ...(props.busName === undefined ? {} : { busName: props.busName }),
    });
    // Whoever is enrolled is waited for; so what it needs comes first.
    this.consumer.node.addDependency(this.function);
  }

  private grant(adapter: AdapterName, { actions, resources, conditions }: AdapterGrant): void {
    const { role } = this.function;
    role.addToPolicy(
      new PolicyStatement({
        actions: [...actions],
        resources: [...resources],
        ...(conditions === undefined ? {} : { conditions }),
      }),
    );
    for (const resource of resources.filter((arn) => arn.includes('*'))) {
      acceptPattern(
        role,
        resource,
        `The adapter ${adapter} acts on what has no narrower name before it is made; docs/adapters.md has its grants.`,
      );
    }
  }
}

/** Lambda allows 64 characters; what is cut off or replaced is kept apart by a hash. */
function functionName(secretName: string, consumer: string): string {
  const hash = createHash('sha256').update(`${secretName}\n${consumer}`).digest('hex').slice(0, 8);
  const slug = consumer.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 40);
  return `rotor-adapter-${slug}-${hash}`;
}
