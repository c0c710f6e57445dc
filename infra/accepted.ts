import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Accepts one finding of cdk-nag on one construct, with the reason.
 *
 * A finding of a rule that reports several is named exactly: `AwsSolutions-IAM5[Resource::*]`.
 */
export function accept(construct: IConstruct, finding: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: finding, reason });
}

/** Accepts that a policy names a pattern of ARNs, with the reason. */
export function acceptPattern(construct: IConstruct, arn: string, reason: string): void {
  const written = flattened(Stack.of(construct).resolve(arn));
  accept(construct, `AwsSolutions-IAM5[Resource::${written}]`, reason);
}

/** An ARN as cdk-nag writes it in a finding: references by their names in angle brackets. */
function flattened(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) {
    if ('Ref' in value) return `<${String(value.Ref)}>`;
    if ('Fn::GetAtt' in value && Array.isArray(value['Fn::GetAtt'])) {
      return `<${value['Fn::GetAtt'].map(flattened).join('.')}>`;
    }
    if ('Fn::Join' in value && Array.isArray(value['Fn::Join'])) {
      const join: readonly unknown[] = value['Fn::Join'];
      if (join[0] === '' && Array.isArray(join[1])) return join[1].map(flattened).join('');
    }
  }
  throw new Error(`an ARN holds something else than text and references: ${JSON.stringify(value)}`);
}

/** X-Ray's two write actions know no resources; active tracing adds them to a role. */
export function acceptTracing(role: IConstruct): void {
  accept(
    role,
    'AwsSolutions-IAM5[Resource::*]',
    'xray:PutTraceSegments and xray:PutTelemetryRecords know no resources (Service Authorization Reference).',
  );
}
