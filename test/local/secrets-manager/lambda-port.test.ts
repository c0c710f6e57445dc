import { ServiceError, type CallService } from '../../../local/kernel/service';
import { lambdaRotationFunctions } from '../../../local/secrets-manager/lambda-port';
import { lambdaArn } from './world';

const account = '111122223333';
const secretArn = `arn:aws:secretsmanager:us-east-1:${account}:secret:app-a1b2c3`;
const event = {
  Step: 'createSecret',
  SecretId: secretArn,
  ClientRequestToken: 'token',
  RotationToken: 'rotation-token',
} as const;

type Asked = Parameters<CallService>;

function port(answer: object | Error) {
  const asked: Asked[] = [];
  const functions = lambdaRotationFunctions({
    account,
    partition: 'aws',
    callService: (...call) => {
      asked.push(call);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  });
  return { asked, functions };
}

const asSecretsManager = {
  principal: { kind: 'service', service: 'secretsmanager.amazonaws.com', account },
  conditions: { 'aws:SourceAccount': account, 'aws:SourceArn': secretArn },
};

describe('reaching a rotation function', () => {
  it('asks for leave without running anything, as the service, with its account and the secret', async () => {
    const { functions, asked } = port({ StatusCode: 204 });
    expect(await functions.mayInvoke(lambdaArn, secretArn)).toBe(true);
    expect(asked).toEqual([
      ['lambda', 'Invoke', { FunctionName: lambdaArn, InvocationType: 'DryRun' }, asSecretsManager],
    ]);
  });

  it.each(['AccessDeniedException', 'ResourceNotFoundException'])(
    'has no leave when Lambda answers %s',
    async (code) => {
      const { functions } = port(new ServiceError(code, 'no'));
      expect(await functions.mayInvoke(lambdaArn, secretArn)).toBe(false);
    },
  );

  it('invokes synchronously with the four members that AWS sends', async () => {
    const { functions, asked } = port({ StatusCode: 200, Payload: 'null' });
    expect(await functions.invoke(lambdaArn, secretArn, event)).toBeUndefined();
    expect(asked[0]?.[2]).toEqual({
      FunctionName: lambdaArn,
      InvocationType: 'RequestResponse',
      Payload: JSON.stringify(event),
    });
    expect(asked[0]?.[3]).toEqual(asSecretsManager);
  });

  it.each([
    ['{"errorType":"RotationInProgress","errorMessage":"ask again"}', 'RotationInProgress', 'ask again'],
    ['not json', 'Unhandled', ''],
    ['null', 'Unhandled', ''],
  ])('reads the function’s error out of %s', async (Payload, type, message) => {
    const { functions } = port({ StatusCode: 200, FunctionError: 'Unhandled', Payload });
    expect(await functions.invoke(lambdaArn, secretArn, event)).toEqual({ type, message });
  });

  it('knows the role of a function, and none of a function that is missing', async () => {
    expect(await port({ Role: 'arn:role' }).functions.roleOf(lambdaArn)).toBe('arn:role');
    const missing = port(new ServiceError('ResourceNotFoundException', 'no'));
    expect(await missing.functions.roleOf(lambdaArn)).toBeUndefined();
  });
});
