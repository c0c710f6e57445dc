import type { Duration } from 'aws-cdk-lib';
import { RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { accept, acceptTracing } from './accepted';
import type { Bundle } from './bundle';

/** What Lambda needs of a function's role to place it in a VPC (AWS: Lambda, "Required IAM permissions"). */
const networkActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** Where functions stand that reach databases in a private network. */
export interface NetworkPlacement {
  readonly vpc: IVpc;
  /** Default: the private subnets. They need a way to Secrets Manager: an endpoint or a NAT gateway. */
  readonly subnets?: SubnetSelection;
  /** Must be let in by the target. Default: one of their own for each function, which you then let in. */
  readonly securityGroups?: ISecurityGroup[];
  /**
   * Place the rotation function there too: for targets that mint credentials and answer in this network alone. It needs a
   * way to Secrets Manager, Step Functions, Systems Manager and KMS from there. Default: false.
   */
  readonly includeRotation?: boolean;
}

/** What differs between Rotor's functions. */
export interface RotorFunctionProps {
  readonly functionName: string;
  readonly description: string;
  readonly bundle: Bundle;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  readonly memorySize: number;
  readonly logRetention: RetentionDays;
  readonly reservedConcurrentExecutions?: number;
  readonly network?: NetworkPlacement;
  /** For events that the function failed on three times. */
  readonly deadLetterQueue?: IQueue;
}

/** One Lambda function with a role and a log group of its own, traced, on ARM. */
export class RotorFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: RotorFunctionProps) {
    super(scope, id);
    const { bundle, network, reservedConcurrentExecutions, deadLetterQueue } = props;
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: props.logRetention,
      // Kept logs under a fixed name would stand in the way of the next deployment.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Role of the function ${props.functionName}`,
    });
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    if (network !== undefined) {
      // CDK leaves this out for a role that it is given, and AWS's managed policy lets the function write to every log.
      this.role.addToPolicy(new PolicyStatement({ actions: networkActions, resources: ['*'] }));
      accept(
        this.role,
        'AwsSolutions-IAM5[Resource::*]',
        'Lambda manages network interfaces with the role; most of these actions know no resources.',
      );
    }
    this.function = new LambdaFunction(this, 'Function', {
      functionName: props.functionName,
      description: props.description,
      code: Code.fromAsset(bundle.folder),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: this.role,
      environment: { ...props.environment },
      timeout: props.timeout,
      memorySize: props.memorySize,
      tracing: Tracing.ACTIVE,
      logGroup,
      ...(reservedConcurrentExecutions === undefined ? {} : { reservedConcurrentExecutions }),
      ...(deadLetterQueue === undefined ? {} : { deadLetterQueue }),
      ...(network === undefined ? {} : placement(network)),
    });
    acceptTracing(this.role);
  }
}

function placement(network: NetworkPlacement) {
  return {
    vpc: network.vpc,
    ...(network.subnets === undefined ? {} : { vpcSubnets: network.subnets }),
    ...(network.securityGroups === undefined ? {} : { securityGroups: network.securityGroups }),
  };
}
