import { startCloud } from '../../../local/cloud';
import { lambdaKind } from '../../../local/targets/lambda-target';

test('the function is deployed under the name that the example’s settings grant', async () => {
  const cloud = await startCloud();
  const server = await lambdaKind.start(cloud);
  const { settings } = await server.provision();
  const { Configuration } = await cloud.call<{ Configuration: { FunctionArn: string } }>(
    'lambda',
    'GetFunction',
    {
      FunctionName: 'example-own-rotator',
    },
  );
  expect(Configuration.FunctionArn).toBe(settings?.['function']);
  await server.stop();
  await cloud.stop();
});

test('the partner accepts a token, refuses a wrong one, and writes neither into its log', async () => {
  const server = await lambdaKind.start();
  const target = await server.provision();
  const session = await target.login(target.secret, 'web');
  await session.work();
  await session.close();
  const wrong = target.wrong(target.secret);
  const refusal: unknown = await target.login(wrong, 'web').catch((error: unknown) => error);
  expect(target.isRefusedLogin(refusal)).toBe(true);
  expect(await server.logins()).toEqual({
    accepted: Array.from({ length: 3 }, () => ({ user: 'example-app', application: 'web' })),
    refused: [{ user: '' }],
  });
  const log = await server.logText();
  expect(log).toContain('POST /orders 200 web');
  for (const value of [target.secret, wrong].flatMap((secret) => target.sensitive(secret)))
    expect(log.includes(value)).toBe(false);
  await server.stop();
});
