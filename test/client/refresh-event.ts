/** A `Secret Refresh Requested` event as EventBridge delivers it, for the fakes' secret; `detail` replaces members. */
export function refreshEvent(now: number, detail: Readonly<Record<string, unknown>> = {}) {
  return {
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': 'Secret Refresh Requested',
    source: 'rotor',
    account: '111122223333',
    time: new Date(now).toISOString(),
    region: 'eu-central-1',
    resources: [],
    detail: {
      schemaVersion: '1',
      rotationId: 'rotation-1',
      secret: {
        arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/db-AbCdEf',
        name: 'shop/db',
      },
      versionId: 'v2',
      previousVersionId: 'v1',
      time: new Date(now).toISOString(),
      consumer: 'orders',
      phase: 'load',
      wave: 1,
      deadline: new Date(now + 900_000).toISOString(),
      taskToken: 'token-1',
      ...detail,
    },
  };
}
