import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { reports, text } from './reports';

/** Counts orders in Parameter Store with the access key of an IAM user, which the function's own role cannot read. */
export const handler = reports(async ({ accessKeyId, secretAccessKey }, application) => {
  const client = new SSMClient({
    credentials: {
      accessKeyId: text(accessKeyId, 'accessKeyId'),
      secretAccessKey: text(secretAccessKey, 'secretAccessKey'),
    },
    userAgentAppId: application,
  });
  try {
    const { Parameters = [] } = await client.send(
      new GetParametersByPathCommand({ Path: '/example-app/orders' }),
      { abortSignal: AbortSignal.timeout(20_000) },
    );
    return Parameters.length;
  } finally {
    client.destroy();
  }
});
