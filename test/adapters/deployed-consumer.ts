import type { Cloud } from '../../local/cloud';
import type { Event } from '../../local/events/event';

/** The secret that a deployed adapter's application uses. */
export interface AskedSecret {
  readonly ARN: string;
  readonly VersionId: string;
}

/**
 * Asks an application as the workflow does, and waits for its last word among the acknowledgements that were heard;
 * `meanwhile` runs between two looks.
 */
export async function askDeployed(
  cloud: Cloud,
  acknowledged: readonly Event[],
  {
    secretName,
    secret,
    consumer,
  }: { readonly secretName: string; readonly secret: AskedSecret; readonly consumer: string },
  meanwhile: () => Promise<void>,
): Promise<Readonly<Record<string, unknown>>> {
  const now = Date.now();
  const detail = {
    schemaVersion: '1',
    rotationId: `rotation-of-${consumer}`,
    secret: { arn: secret.ARN, name: secretName },
    versionId: secret.VersionId,
    phase: 'load',
    consumer,
    time: new Date(now).toISOString(),
    deadline: new Date(now + 900_000).toISOString(),
    taskToken: `token-of-${consumer}`,
  };
  const entry = {
    EventBusName: 'rotor',
    Source: 'rotor',
    DetailType: 'Secret Refresh Requested',
    Detail: JSON.stringify(detail),
  };
  await cloud.call('eventbridge', 'PutEvents', { Entries: [entry] });
  for (const end = now + 150_000; Date.now() < end;) {
    const found = acknowledged.map(({ detail: said }) => said);
    const last = found.find((said) => said['consumer'] === consumer && said['outcome'] !== 'working');
    if (last !== undefined) return last;
    await meanwhile();
  }
  throw new Error(`${consumer} has not answered`);
}
