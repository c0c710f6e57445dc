import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { NothingCurrent } from './errors';

/** Says which version of a secret AWSCURRENT names now, without reading any value. */
export type CurrentVersion = (secretArn: string, signal: AbortSignal) => Promise<string>;

/** Asks Secrets Manager's DescribeSecret, which needs no right to the value. NothingCurrent where the label is nowhere. */
export function describedVersion(): CurrentVersion {
  const client = new SecretsManagerClient({ maxAttempts: 4 });
  return async (secretArn, signal) => {
    const { VersionIdsToStages = {} } = await client.send(
      new DescribeSecretCommand({ SecretId: secretArn }),
      {
        abortSignal: signal,
      },
    );
    const [current] =
      Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes('AWSCURRENT')) ?? [];
    if (current === undefined) throw new NothingCurrent('no version of the secret has the label AWSCURRENT');
    return current;
  };
}
