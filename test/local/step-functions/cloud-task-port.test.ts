import { ServiceError } from '../../../local/kernel/service';
import type { CallService, Principal } from '../../../local/kernel/service';
import { account, task, Workbench } from './workbench';

type Service = (input: Readonly<Record<string, unknown>>, principal: Principal) => object;

function bench(services: Readonly<Record<string, Service>>): Workbench {
  const callService: CallService = async (service, operation, input, { principal }) => {
    const run = services[`${service}:${operation}`];
    if (run === undefined) throw new Error(`nothing plays ${service}:${operation}`);
    return run(input, principal);
  };
  return new Workbench({ callService });
}

function refusing(code: string, message: string, statusCode = 400): Service {
  return () => {
    throw new ServiceError(code, message, statusCode);
  };
}

const returning =
  (payload: string, rest: object = {}): Service =>
  () => ({ StatusCode: 200, ExecutedVersion: '$LATEST', Payload: payload, ...rest });
const invoke = { A: task({ Arguments: { FunctionName: 'f', Payload: { a: 1 } } }) };

describe('lambda:invoke', () => {
  it('calls the function as the machine’s role and gives its answer with the payload parsed', async () => {
    let seen: unknown;
    const end = await bench({
      'lambda:Invoke': (input, principal) => {
        seen = { input, principal };
        return { StatusCode: 200, ExecutedVersion: '$LATEST', Payload: '{"b":2}' };
      },
    }).run(invoke);
    expect(seen).toMatchObject({
      input: { FunctionName: 'f', Payload: '{"a":1}' },
      principal: {
        kind: 'role',
        account,
        roleArn: `arn:aws:iam::${account}:role/machine`,
        arn: expect.stringMatching(/^arn:aws:sts::111111111111:assumed-role\/machine\/\w{32}$/) as string,
      },
    });
    expect(JSON.parse(String(end['output']))).toMatchObject({
      ExecutedVersion: '$LATEST',
      Payload: { b: 2 },
      StatusCode: 200,
      SdkHttpMetadata: { HttpStatusCode: 200 },
      SdkResponseMetadata: { RequestId: expect.any(String) as string },
    });
  });

  it('fails with the name of the function’s error and its text', async () => {
    const payload = '{"errorType":"TargetUnreachable","errorMessage":"no answer","trace":[]}';
    const end = await bench({ 'lambda:Invoke': returning(payload, { FunctionError: 'Unhandled' }) }).run(
      invoke,
    );
    expect(end).toMatchObject({ status: 'FAILED', error: 'TargetUnreachable', cause: payload });
  });

  it('fails with Sandbox.Timedout when the function ran out of time', async () => {
    const payload =
      '{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: Task timed out after 3.00 seconds"}';
    const end = await bench({ 'lambda:Invoke': returning(payload, { FunctionError: 'Unhandled' }) }).run(
      invoke,
    );
    expect(end).toMatchObject({ error: 'Sandbox.Timedout' });
  });

  it('fails with Lambda.Unknown when the function named no error', async () => {
    const end = await bench({ 'lambda:Invoke': returning('', { FunctionError: 'Unhandled' }) }).run(invoke);
    expect(end).toMatchObject({ error: 'Lambda.Unknown' });
  });

  it.each([
    ['TooManyRequestsException', 429, 'Lambda.TooManyRequestsException'],
    ['ResourceNotFoundException', 404, 'Lambda.ResourceNotFoundException'],
    ['ServiceException', 500, 'Lambda.ServiceException'],
    ['AccessDeniedException', 403, 'Lambda.AWSLambdaException'],
  ])('gives %s (%i) the name %s', async (code, status, error) => {
    const end = await bench({ 'lambda:Invoke': refusing(code, 'no', status) }).run(invoke);
    expect(end).toMatchObject({
      error,
      cause: expect.stringMatching(
        new RegExp(
          `^no \\(Service: AWSLambda; Status Code: ${String(status)}; Error Code: ${code}; Request ID: [\\w-]+; Proxy: null\\)$`,
        ),
      ) as string,
    });
  });
});

describe('a function’s ARN as the resource', () => {
  it('gives what the function returned, and has events of its own', async () => {
    const states = {
      A: task({ Resource: `arn:aws:lambda:eu-central-1:${account}:function:f`, Arguments: { x: 1 } }),
    };
    const workbench = bench({ 'lambda:Invoke': returning('[1]') });
    const arn = await workbench.start(states);
    expect(await workbench.finish(arn)).toMatchObject({ output: '[1]' });
    expect((await workbench.types(arn)).slice(2, 5)).toEqual([
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionSucceeded',
    ]);
  });
});

describe('events:putEvents', () => {
  const put = {
    A: task({
      Resource: 'arn:aws:states:::events:putEvents',
      Arguments: {
        Entries: [
          { Source: 'rotor', DetailType: 'T', Detail: { a: 1 }, EventBusName: 'rotor', Resources: ['arn:x'] },
        ],
      },
    }),
  };

  it('sends the detail as text, and adds execution and machine to the resources', async () => {
    let seen: unknown;
    const workbench = bench({
      'eventbridge:PutEvents': (input) => {
        seen = input;
        return { FailedEntryCount: 0, Entries: [{ EventId: '1' }] };
      },
    });
    const arn = await workbench.start(put);
    const end = await workbench.finish(arn);
    expect(seen).toEqual({
      Entries: [
        {
          Source: 'rotor',
          DetailType: 'T',
          Detail: '{"a":1}',
          EventBusName: 'rotor',
          Resources: ['arn:x', arn, arn.replace(':execution:', ':stateMachine:').replace(/:run$/, '')],
        },
      ],
    });
    expect(JSON.parse(String(end['output']))).toMatchObject({
      FailedEntryCount: 0,
      Entries: [{ EventId: '1' }],
    });
  });

  it('fails when an entry failed', async () => {
    const answer = {
      FailedEntryCount: 1,
      Entries: [{ ErrorCode: 'InternalFailure', ErrorMessage: 'again' }],
    };
    const end = await bench({ 'eventbridge:PutEvents': () => answer }).run(put);
    expect(end).toMatchObject({ error: 'EventBridge.FailedEntry' });
    expect(JSON.parse(String(end['cause']))).toMatchObject(answer);
  });

  it('fails with the general exception when access is denied', async () => {
    const end = await bench({
      'eventbridge:PutEvents': refusing('AccessDeniedException', 'not authorized'),
    }).run(put);
    expect(end).toMatchObject({ error: 'EventBridge.AmazonEventBridgeException' });
  });
});

describe('the other integrations', () => {
  it('publish JSON as text by sns:publish', async () => {
    let seen: unknown;
    const publish: Service = (input) => {
      seen = input;
      return { MessageId: 'm' };
    };
    const end = await bench({ 'sns:Publish': publish }).run({
      A: task({ Resource: 'arn:aws:states:::sns:publish', Arguments: { TopicArn: 't', Message: { a: 1 } } }),
    });
    expect(seen).toEqual({ TopicArn: 't', Message: '{"a":1}' });
    expect(JSON.parse(String(end['output']))).toMatchObject({ MessageId: 'm' });
  });

  it('send JSON as text by sqs:sendMessage', async () => {
    let seen: unknown;
    await bench({
      'sqs:SendMessage': (input) => {
        seen = input;
        return { MessageId: 'm' };
      },
    }).run({
      A: task({
        Resource: 'arn:aws:states:::sqs:sendMessage',
        Arguments: { QueueUrl: 'q', MessageBody: ['a'] },
      }),
    });
    expect(seen).toEqual({ QueueUrl: 'q', MessageBody: '["a"]' });
  });

  it('reach services by aws-sdk, with dates as text and errors by the SDK’s name', async () => {
    const states = {
      A: task({
        Resource: 'arn:aws:states:::aws-sdk:secretsmanager:describeSecret',
        Arguments: { SecretId: 's' },
      }),
    };
    const end = await bench({
      'secretsmanager:DescribeSecret': () => ({ Name: 's', CreatedDate: new Date(0) }),
    }).run(states);
    expect(end).toMatchObject({ output: '{"Name":"s","CreatedDate":"1970-01-01T00:00:00.000Z"}' });
    const missing = refusing('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    expect(await bench({ 'secretsmanager:DescribeSecret': missing }).run(states)).toMatchObject({
      error: 'SecretsManager.ResourceNotFoundException',
      cause: expect.stringContaining('(Service: SecretsManager, Status Code: 400, Request ID: ') as string,
    });
  });

  it('use the role of the task’s Credentials', async () => {
    let role: unknown;
    await bench({
      'lambda:Invoke': (_, principal) => {
        role = principal;
        return { StatusCode: 200, Payload: '{}' };
      },
    }).run(
      { A: task({ Credentials: { RoleArn: '{% $states.input.role %}' } }) },
      { role: 'arn:aws:iam::222222222222:role/theirs' },
    );
    expect(role).toMatchObject({ account: '222222222222', roleArn: 'arn:aws:iam::222222222222:role/theirs' });
  });
});
