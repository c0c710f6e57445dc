import { startCloud, type Cloud } from '../../../local/cloud';
import { startGeneratedTargets, type GeneratedTargets } from '../../../local/targets/generated-target';
import { membersOf, rejection } from '../../rotators/context';

describe('a receiver of webhooks', () => {
  let cloud: Cloud;
  let server: GeneratedTargets;

  beforeAll(async () => {
    cloud = await startCloud();
    server = await startGeneratedTargets(cloud);
  });
  afterAll(async () => {
    await server.stop();
    await cloud.stop();
  });

  test('accepts the value in force and the one before, as Secrets Manager has them, and no older one', async () => {
    const target = await server.provision();
    const values = [target.secret, target.wrong(target.secret), target.wrong(target.secret)] as const;
    const refuses = async (secret: string) =>
      expect(target.isRefusedLogin(await rejection(target.login(secret, 'web')))).toBe(true);
    const accepts = async (secret: string) => (await target.login(secret, 'web')).close();
    await refuses(values[0]);
    await cloud.call('secretsmanager', 'CreateSecret', {
      Name: 'webhook',
      ClientRequestToken: crypto.randomUUID(),
      SecretString: values[0],
    });
    await accepts(values[0]);
    for (const [index, value] of values.entries()) {
      if (index === 0) continue;
      await refuses(value);
      await cloud.call('secretsmanager', 'PutSecretValue', {
        SecretId: 'webhook',
        ClientRequestToken: crypto.randomUUID(),
        SecretString: value,
      });
      await accepts(value);
      await accepts(values[index - 1] ?? '');
    }
    await refuses(values[0]);
    expect(await target.live()).toBe(2);
  });

  test('is no receiver for another webhook’s value', async () => {
    const other = await server.provision();
    await expect(other.login(other.secret, 'web')).rejects.toMatchObject({ status: 401 });
    expect(await server.logText()).not.toContain(String(membersOf(other.secret)['value']));
  });

  test('without a cloud knows what it is told, and forgets what is two values old', async () => {
    const alone = await startGeneratedTargets();
    try {
      const target = await alone.provision();
      const stranger = target.wrong(target.secret);
      expect(target.isRefusedLogin(await rejection(target.login(stranger, 'web')))).toBe(true);
      for (const value of ['second', 'third'])
        target.publish(JSON.stringify({ ...membersOf(target.secret), value }));
      expect(await target.live()).toBe(2);
    } finally {
      await alone.stop();
    }
  });
});
