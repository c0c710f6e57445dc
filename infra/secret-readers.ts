import { Annotations, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnResourcePolicy } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { type OtherAccounts, principalsOf } from './other-accounts';

/** Something with a policy of its own; it answers whether it took a statement, which what is imported does not. */
interface WithPolicy {
  addToResourcePolicy?(statement: PolicyStatement, allowNoOp?: boolean): { readonly statementAdded: boolean };
}

/** A secret that others are to read, as CDK's `ISecret` or as its ARN. */
export interface ReadableSecret extends WithPolicy {
  readonly secretArn: string;
  readonly encryptionKey?: (WithPolicy & { readonly keyArn: string }) | undefined;
}

/**
 * Lets applications of other accounts read a secret: by its resource policy, and by the policy of its key.
 *
 * AWS's own key cannot be used from another account, so a secret without a key of its own is refused. The policy of an imported
 * secret is replaced as a whole; that of an imported key cannot be changed from here, and a warning says what it needs.
 * Either leaves the last word to the identity policies in the other account.
 */
export function letOthersRead(scope: Construct, secret: ReadableSecret, others: OtherAccounts): void {
  const readers = principalsOf(others);
  if (readers.length === 0) return;
  const { encryptionKey } = secret;
  if (encryptionKey === undefined) {
    throw new Error(
      `${scope.node.path}: other accounts can read a secret under a customer-managed key alone; pass it with its encryptionKey`,
    );
  }
  const statements = readers.map(
    ({ name, principals }) =>
      new PolicyStatement({
        sid: `Readers${name}`,
        // The labels too: whoever acts for an application, as adapters do, looks where AWSCURRENT is.
        actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
        resources: ['*'],
        principals: [...principals],
      }),
  );
  const refused = statements.filter(
    (statement) => secret.addToResourcePolicy?.(statement).statementAdded !== true,
  );
  if (refused.length > 0) {
    new CfnResourcePolicy(scope, 'Readers', {
      secretId: secret.secretArn,
      resourcePolicy: new PolicyDocument({ statements: refused }),
      blockPublicPolicy: true,
    });
  }
  const viaService = `secretsmanager.${Stack.of(scope).region}.amazonaws.com`;
  for (const { name, principals } of readers) {
    const statement = new PolicyStatement({
      sid: `Readers${name}`,
      actions: ['kms:Decrypt'],
      resources: ['*'],
      principals: [...principals],
      conditions: { StringEquals: { 'kms:ViaService': viaService } },
    });
    if (encryptionKey.addToResourcePolicy?.(statement, true).statementAdded === true) continue;
    Annotations.of(scope).addWarningV2(
      'rotor:keyOfReaders',
      `The policy of key ${encryptionKey.keyArn} is not changed from here. It has to allow what docs/cross-account.md shows, or applications of other accounts cannot read the secret.`,
    );
  }
}
