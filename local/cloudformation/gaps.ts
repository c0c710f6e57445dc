import { resourceTable } from './resource-table';

/** The resource types that are deployed; every other one is refused by name. */
export const deployedResourceTypes: readonly string[] = Object.keys(resourceTable);

/** What the embedded CloudFormation does otherwise than AWS, for docs/aws-fidelity.md. */
export const cloudFormationGaps: readonly string[] = [
  'Stacks are created once, from a synthesised cloud assembly. There is no API, no update, no change set, no deletion, no drift and no rollback: what was made before a failure stays.',
  'Resources are made one after the other in dependency order; AWS makes independent ones at the same time.',
  'DeletionPolicy, UpdateReplacePolicy and Metadata are read past. CreationPolicy, UpdatePolicy, Transform, Hooks, nested stacks, macros and custom resources are refused.',
  'Fn::Cidr, Fn::GetAZs, Fn::Length, Fn::ToJsonString, Fn::ForEach and Fn::Transform are refused; {{resolve:ssm-secure:…}} too.',
  'Rules other than the CDK’s CheckBootstrapVersion are refused, and that one always holds: /cdk-bootstrap/…/version answers 30.',
  'Everything is created as the account’s operator, without the bootstrap’s deployment and execution roles.',
  'AWS::CloudWatch::Alarm is recorded under its name; no metric exists that could set it off.',
  'Lambda code and state machine definitions are read from the assembly’s folder; there is no bucket. Container images are refused.',
  'A role’s Description, MaxSessionDuration and Tags, a managed policy’s Description, a key’s PendingWindowInDays and all settings of an alarm are accepted without effect.',
  'Property values are checked by the services that receive them, not against CloudFormation’s resource schemas.',
];
