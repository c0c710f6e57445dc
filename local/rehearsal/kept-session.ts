import type { Cloud } from '../cloud';
import type { ApplicationSession, RehearsalTarget } from '../targets/target';
import { secretName } from './seeding';

/** What the job calls itself at the target. */
const keeperName = 'nightly';

/**
 * Logs in as a job that was started before the rotation and follows no secret: its session is of the credential that is
 * in use now. Closing it is success where it was ended.
 */
export async function keepSession(cloud: Cloud, target: RehearsalTarget): Promise<ApplicationSession> {
  const { SecretString: text } = await cloud.call<{ SecretString: string }>(
    'secretsmanager',
    'GetSecretValue',
    { SecretId: secretName },
  );
  const session = await target.login(text, keeperName);
  return {
    work: () => session.work(),
    close: () => session.close().catch(() => undefined),
  };
}
