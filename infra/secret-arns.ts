import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { secretParameters } from '../domain/names';

/** ARN of a secret of this account and region by its name; AWS appends six characters to it, which may be any. */
export function secretArnOf(scope: Construct, secretName: string): string {
  return Stack.of(scope).formatArn(partsOf(secretName));
}

/** ARN of a secret and of its replicas, which have the same name in other regions. */
export function replicasArnOf(scope: Construct, secretName: string): string {
  return Stack.of(scope).formatArn({ ...partsOf(secretName), region: '*' });
}

/** ARN of the path below which the parameters of a secret lie. */
export function parametersArnOf(scope: Construct, secretName: string): string {
  return Stack.of(scope).formatArn({
    service: 'ssm',
    resource: 'parameter',
    // The name begins with the slash that an ARN has before a resource's name.
    resourceName: secretParameters(secretName).slice(1),
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
}

function partsOf(secretName: string) {
  return {
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${secretName}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  };
}
