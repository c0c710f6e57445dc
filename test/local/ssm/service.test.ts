import { createAuthorize } from '../../../local/iam/authorize';
import { RoleStore } from '../../../local/iam/role-store';
import { VirtualClock } from '../../../local/kernel/clock';
import { ServiceError, type Call, type Principal } from '../../../local/kernel/service';
import { createParameterStore } from '../../../local/ssm/service';

const account = '111122223333';
const trustPolicy = {
  Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
};

function createWorld() {
  const where = { account, region: 'us-east-1', partition: 'aws', clock: new VirtualClock() };
  const roles = new RoleStore(where);
  const asked: string[] = [];
  const evaluate = createAuthorize({ ...where, roles });
  const service = createParameterStore({
    ...where,
    authorize: (call, access) => {
      asked.push(`${access.action} ${access.resource}`);
      evaluate(call, access);
    },
    callService: () => Promise.reject(new Error('this world has one service')),
  });
  const world = {
    asked,
    service,
    role(policy?: object): Principal {
      const arn = roles.put({ name: 'app', trustPolicy, ...(policy && { policies: { policy } }) });
      return roles.assume(arn, 'lambda.amazonaws.com', 'run').principal;
    },
    async run(op: string, input: object, as: Principal = roles.operator.principal) {
      const operation = service.operations[op];
      if (operation === undefined) throw new Error(`no operation ${op}`);
      const call: Call = { principal: as, requestId: 'r', userAgent: 'u', conditions: {} };
      const answer: Readonly<Record<string, unknown>> = { ...(await operation({ ...input }, call)) };
      return answer;
    },
    async refusal(op: string, input: object, as?: Principal) {
      try {
        await world.run(op, input, as);
        return 'no error';
      } catch (error) {
        if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
        throw error;
      }
    },
    put: (Name: string, Value = 'x', more: object = {}) =>
      world.run('PutParameter', { Name, Value, Type: 'String', ...more }),
  };
  return world;
}

describe('one parameter', () => {
  it('is read with its newest value, by name, ARN or version', async () => {
    const world = createWorld();
    await world.put('/app/a', 'one');
    expect(await world.put('/app/a', 'two', { Overwrite: true })).toEqual({ Version: 2, Tier: 'Standard' });

    const ARN = `arn:aws:ssm:us-east-1:${account}:parameter/app/a`;
    for (const Name of ['/app/a', ARN])
      expect((await world.run('GetParameter', { Name }))['Parameter']).toEqual({
        Name: '/app/a',
        Type: 'String',
        Value: 'two',
        Version: 2,
        LastModifiedDate: new Date(Date.UTC(2026, 0, 1)),
        ARN,
        DataType: 'text',
      });
    const old = await world.run('GetParameter', { Name: '/app/a:1' });
    expect(old['Parameter']).toMatchObject({ Value: 'one', Version: 1, Selector: ':1' });
    expect(await world.refusal('GetParameter', { Name: '/app/a:9' })).toBe(
      'ParameterVersionNotFound: Systems Manager could not find version 9 of /app/a. Verify the version and try again.',
    );
  });

  it('that is missing is refused without a message, as AWS does', async () => {
    const world = createWorld();
    expect(await world.refusal('GetParameter', { Name: '/app/ghost' })).toBe('ParameterNotFound: ');
    expect(await world.refusal('DeleteParameter', { Name: '/app/ghost' })).toBe('ParameterNotFound: ');
  });

  it('is not written over unless asked', async () => {
    const world = createWorld();
    await world.put('/app/a', 'one');
    expect(await world.refusal('PutParameter', { Name: '/app/a', Value: 'two', Type: 'String' })).toBe(
      'ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
    );
  });

  it('is gone after its deletion', async () => {
    const world = createWorld();
    await world.put('/app/a');
    await world.run('DeleteParameter', { Name: '/app/a' });
    expect(await world.refusal('GetParameter', { Name: '/app/a' })).toBe('ParameterNotFound: ');
  });

  it.each([
    ['app/a', 'ValidationException: Parameter name must be a fully qualified name.'],
    ['/app//a', 'ValidationException: Parameter name: can\'t be prefixed with "aws" or "ssm"'],
    ['/app/a b', 'ValidationException: Parameter name: can\'t be prefixed with "aws" or "ssm"'],
    ['/AWS/a', 'ValidationException: Parameter name: can\'t be prefixed with "aws" or "ssm"'],
    ['/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p', 'HierarchyLevelLimitExceededException'],
  ])('cannot be named %s', async (Name, message) => {
    expect(await createWorld().refusal('PutParameter', { Name, Value: 'x', Type: 'String' })).toContain(
      message,
    );
  });

  it.each([
    [
      { Type: 'SecureString' },
      'UnsupportedParameter: The embedded cloud does not implement PutParameter with Type SecureString.',
    ],
    [
      { Type: 'String', AllowedPattern: 'x' },
      'UnsupportedParameter: The embedded cloud does not implement PutParameter with AllowedPattern.',
    ],
    [{}, 'ValidationException: A parameter type is required when you create a parameter.'],
    [
      { Type: 'String', Value: 'x'.repeat(4097) },
      'ValidationException: Standard tier parameters support a maximum parameter value of 4096 characters.',
    ],
  ])('with %o is refused', async (more, message) => {
    expect(await createWorld().refusal('PutParameter', { Name: '/app/a', Value: 'x', ...more })).toContain(
      message,
    );
  });
});

describe('several parameters', () => {
  it('by name, with those that are missing apart', async () => {
    const world = createWorld();
    await world.put('/app/a');
    const answer = await world.run('GetParameters', { Names: ['/app/a', '/app/ghost', '/app/a:7'] });
    expect(answer).toMatchObject({
      Parameters: [{ Name: '/app/a' }],
      InvalidParameters: ['/app/ghost', '/app/a:7'],
    });
  });

  it('below a path, one level or all, ten at a time, in order', async () => {
    const world = createWorld();
    for (let index = 12; index > 0; index--) await world.put(`/app/x/p${String(index).padStart(2, '0')}`);
    await world.put('/app/x/deep/p');
    await world.put('/app/xy/p');

    const first = await world.run('GetParametersByPath', { Path: '/app/x', Recursive: true });
    const second = await world.run('GetParametersByPath', {
      Path: '/app/x/',
      Recursive: true,
      NextToken: first['NextToken'],
    });
    const names = [first, second].map(({ Parameters }) =>
      Array.isArray(Parameters) ? Parameters.map((parameter: { Name: string }) => parameter.Name) : [],
    );
    expect(names[0]).toHaveLength(10);
    expect(names[0]?.[0]).toBe('/app/x/deep/p');
    expect(names[1]).toEqual(['/app/x/p10', '/app/x/p11', '/app/x/p12']);
    expect(second).not.toHaveProperty('NextToken');

    const flat = await world.run('GetParametersByPath', { Path: '/app/xy' });
    expect(flat['Parameters']).toMatchObject([{ Name: '/app/xy/p' }]);
  });

  it.each([
    [{ Path: 'app' }, 'ValidationException'],
    [{ Path: '/aws/x' }, 'ValidationException'],
    [{ Path: '/app', ParameterFilters: [] }, 'does not implement GetParametersByPath with ParameterFilters'],
    [{ Path: '/app', MaxResults: 11 }, 'ValidationException'],
    [{ Path: '/app', NextToken: 'nonsense' }, 'InvalidNextToken'],
  ])('of %j is refused', async (request, message) => {
    expect(await createWorld().refusal('GetParametersByPath', request)).toContain(message);
  });

  it('are described without their values', async () => {
    const world = createWorld();
    await world.put('/app/a', 'hidden', { Description: 'what it is for' });
    const { Parameters } = await world.run('DescribeParameters', {});
    expect(Parameters).toMatchObject([{ Name: '/app/a', Description: 'what it is for', Tier: 'Standard' }]);
    expect(JSON.stringify(Parameters)).not.toContain('hidden');
  });
});

describe('every operation', () => {
  const arn = `arn:aws:ssm:us-east-1:${account}`;
  const requests: Readonly<Record<string, readonly [object, string]>> = {
    CreateDocument: [{ Name: 'freeze', Content: 'x' }, `${arn}:document/freeze`],
    DeleteDocument: [{ Name: 'freeze' }, `${arn}:document/freeze`],
    GetCalendarState: [{ CalendarNames: ['freeze'] }, `${arn}:document/freeze`],
    GetDocument: [{ Name: `${arn}:document/freeze` }, `${arn}:document/freeze`],
    DeleteParameter: [{ Name: '/app/a' }, `${arn}:parameter/app/a`],
    DescribeParameters: [{}, `${arn}:*`],
    GetParameter: [{ Name: 'plain' }, `${arn}:parameter/plain`],
    GetParameters: [{ Names: ['/app/a'] }, `${arn}:parameter/app/a`],
    GetParametersByPath: [{ Path: '/app/' }, `${arn}:parameter/app/`],
    PutParameter: [{ Name: '/app/a', Value: 'x', Type: 'String' }, `${arn}:parameter/app/a`],
  };

  it('is in the table', () => {
    expect(Object.keys(createWorld().service.operations).sort()).toEqual(Object.keys(requests).sort());
  });

  it.each(Object.entries(requests))(
    '%s is refused to a role without permission',
    async (op, [request, resource]) => {
      const world = createWorld();
      expect(await world.refusal(op, request, world.role())).toContain('AccessDeniedException: User: ');
      expect(world.asked).toEqual([`ssm:${op} ${resource}`]);
    },
  );

  it('GetParameters is refused when one of its names may not be read', async () => {
    const world = createWorld();
    await world.put('/app/a');
    const Resource = `${arn}:parameter/app/*`;
    const role = world.role({ Statement: { Effect: 'Allow', Action: 'ssm:GetParameters', Resource } });
    expect(await world.refusal('GetParameters', { Names: ['/app/a'] }, role)).toBe('no error');
    expect(await world.refusal('GetParameters', { Names: ['/app/a', '/other/b'] }, role)).toContain(
      '/other/b',
    );
  });
});
