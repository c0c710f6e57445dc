import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirtualClock } from '../../../local/kernel/clock';
import { account, roleArn, Stage, operator } from './stage';

let stage: Stage;
beforeEach(() => (stage = new Stage()));
afterEach(() => stage.close());

test('a handler gets its event and its context, and its result is the payload', async () => {
  await stage.deploy(
    'greet',
    `export const handler = async (event: { name: string }, context: any) => ({
       text: 'hello ' + event.name,
       context: { ...context, left: context.getRemainingTimeInMillis() },
     });`,
    { MemorySize: 256 },
  );
  const answer = await stage.invoke('greet', { name: 'Ada' });
  expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
  expect(answer.FunctionError).toBeUndefined();
  const result = JSON.parse(answer.Payload) as { text: string; context: Record<string, unknown> };
  expect(result.text).toBe('hello Ada');
  expect(result.context).toMatchObject({
    functionName: 'greet',
    functionVersion: '$LATEST',
    memoryLimitInMB: '256',
    awsRequestId: operator.requestId,
    invokedFunctionArn: `arn:aws:lambda:us-east-1:${account}:function:greet`,
    logGroupName: '/aws/lambda/greet',
  });
  expect(result.context['left']).toBeGreaterThan(25_000);
  expect(result.context['left']).toBeLessThanOrEqual(30_000);
});

test('a handler that returns nothing answers null', async () => {
  await stage.deploy('silent', `export const handler = async () => {};`);
  expect((await stage.invoke('silent')).Payload).toBe('null');
});

test('code in an ES module is loaded too', async () => {
  mkdirSync(join(stage.folder, 'module'), { recursive: true });
  writeFileSync(
    join(stage.folder, 'module', 'index.mjs'),
    `await Promise.resolve(); export const handler = async () => import.meta.url.split('/').at(-1);`,
  );
  await stage.create('module');
  expect(await stage.result('module')).toBe('index.mjs');
});

test('an error is answered by its own name, however the bundler renamed its class', async () => {
  await stage.deploy(
    'fails',
    `class TargetUnreachable extends Error { override readonly name = 'TargetUnreachable'; }
     export const handler = async () => { throw new TargetUnreachable('no answer from db:5432'); };`,
  );
  const answer = await stage.invoke('fails');
  expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
  const failure = JSON.parse(answer.Payload) as { trace: string[] };
  expect(failure).toMatchObject({ errorType: 'TargetUnreachable', errorMessage: 'no answer from db:5432' });
  expect(failure.trace[0]).toContain('no answer from db:5432');
  expect(stage.text()).toContain('\tERROR\tInvoke Error \t{"errorType":"TargetUnreachable"');
  expect(stage.records[0]?.errorType).toBe('TargetUnreachable');
});

test('a thrown value that is no error is answered by its type', async () => {
  await stage.deploy('throws', `export const handler = async () => { throw 'plain text'; };`);
  expect(await stage.result('throws')).toEqual({
    errorType: 'string',
    errorMessage: 'plain text',
    trace: [],
  });
});

test('module state lives as long as the environment, and two events at once have two environments', async () => {
  await stage.deploy(
    'counts',
    `let calls = 0;
     export const handler = async (event: { waitMs?: number }) => {
       calls += 1;
       const mine = calls;
       await new Promise((done) => setTimeout(done, event.waitMs ?? 0));
       return mine;
     };`,
  );
  expect(await stage.result('counts')).toBe(1);
  expect(await stage.result('counts')).toBe(2);
  expect(await Promise.all([1, 2].map(() => stage.result('counts', { waitMs: 50 })))).toEqual([3, 1]);
  expect(stage.lambda.workers()).toEqual({ all: 2, idle: 2 });
});

test('a function sees its own variables, the keys of its role and nothing of the parent', async () => {
  process.env['ROTOR_TEST_OF_THE_PARENT'] = 'visible';
  await stage.deploy('env', `export const handler = async () => process.env;`, {
    Environment: { Variables: { COLOUR: 'blue' } },
  });
  const variables = (await stage.result('env')) as Record<string, string>;
  delete process.env['ROTOR_TEST_OF_THE_PARENT'];
  expect(
    Object.keys(variables)
      .filter((name) => !/^(AWS|LAMBDA)_/.test(name))
      .sort(),
  ).toEqual(['COLOUR', 'HOME', 'LANG', 'PATH', 'TZ', '_HANDLER', '_X_AMZN_TRACE_ID'].sort());
  expect(variables).toMatchObject({
    COLOUR: 'blue',
    AWS_REGION: 'us-east-1',
    AWS_LAMBDA_FUNCTION_NAME: 'env',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE',
  });
  expect(stage.assumed).toEqual([[roleArn, 'lambda.amazonaws.com', 'env']]);
});

test('changing process.env in one environment does not reach another or the parent', async () => {
  await stage.deploy(
    'changes',
    `export const handler = async () => { process.env.LEAK = 'yes'; return process.env.LEAK; };`,
  );
  await stage.deploy('looks', `export const handler = async () => process.env.LEAK ?? 'none';`);
  expect(await stage.result('changes')).toBe('yes');
  expect(await stage.result('looks')).toBe('none');
  expect(process.env['LEAK']).toBeUndefined();
});

test('logs stand between START and END, console calls with level, raw output line by line', async () => {
  await stage.deploy(
    'talks',
    `export const handler = async () => {
       console.log('first', { a: 1 });
       console.error('two\\nlines');
       process.stdout.write('raw one\\nraw two\\n');
     };`,
  );
  await stage.invoke('talks');
  const id = operator.requestId;
  const lines = stage.lines.map(({ line }) => line.replace(/^\S+Z/, 'TIME'));
  expect(lines.slice(0, -1)).toEqual([
    `START RequestId: ${id} Version: $LATEST`,
    `TIME\t${id}\tINFO\tfirst { a: 1 }`,
    `TIME\t${id}\tERROR\ttwo\rlines`,
    'raw one',
    'raw two',
    `END RequestId: ${id}`,
  ]);
  expect(lines.at(-1)).toMatch(
    new RegExp(
      `^REPORT RequestId: ${id}\tDuration: [\\d.]+ ms\tBilled Duration: \\d+ ms\tMemory Size: 128 MB\tMax Memory Used: \\d+ MB\tInit Duration: [\\d.]+ ms\t$`,
    ),
  );
  expect(stage.lines[0]?.group).toBe('/aws/lambda/talks');
  expect(stage.lines[0]?.stream).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
});

test('the JSON log format writes every line as a document, into the group that was configured', async () => {
  await stage.deploy('json', `export const handler = async () => console.log('hello');`, {
    LoggingConfig: { LogFormat: 'JSON', LogGroup: '/rotor/json' },
  });
  await stage.invoke('json');
  const documents = stage.lines.map(({ line }) => JSON.parse(line) as Record<string, unknown>);
  expect(documents.map((line) => line['type'] ?? line['message'])).toEqual([
    'platform.start',
    'hello',
    'platform.runtimeDone',
    'platform.report',
  ]);
  expect(documents[1]).toMatchObject({ level: 'INFO', requestId: operator.requestId });
  expect(stage.lines.every(({ group }) => group === '/rotor/json')).toBe(true);
});

test('a handler that takes too long is ended, even in an endless loop, and the next event has a fresh one', async () => {
  const limits = new VirtualClock();
  const lines: string[] = [];
  const spinning = new Promise<void>((resolve) => {
    stage = new Stage({
      limits,
      appendLog: (_group, _stream, line) => {
        lines.push(line);
        if (line === 'spinning') resolve();
      },
    });
  });
  await stage.deploy(
    'spins',
    `let calls = 0;
     export const handler = async (event: { spin: boolean }) => {
       calls += 1;
       if (event.spin) process.stdout.write('spinning\\n');
       while (event.spin);
       return calls;
     };`,
    { Timeout: 1 },
  );
  expect(await stage.result('spins', { spin: false })).toBe(1);
  const ended = stage.invoke('spins', { spin: true });
  await spinning;
  limits.advance();
  const answer = await ended;
  expect(answer.FunctionError).toBe('Unhandled');
  expect(JSON.parse(answer.Payload)).toEqual({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${operator.requestId} Error: Task timed out after 1.00 seconds`,
  });
  expect(lines.join('\n')).toContain('Task timed out after 1.00 seconds');
  expect(await stage.result('spins', { spin: false })).toBe(1);
});

test('a time limit runs on the clock that is given for limits', async () => {
  const limits = new VirtualClock();
  const begun = new Promise<void>((resolve) => {
    stage = new Stage({ limits, appendLog: (_group, _stream, line) => line === 'begun' && resolve() });
  });
  await stage.deploy(
    'waits',
    `export const handler = async () => { process.stdout.write('begun\\n'); await new Promise(() => {}); };`,
    { Timeout: 900 },
  );
  const answer = stage.invoke('waits');
  await begun;
  limits.advance();
  expect(JSON.parse((await answer).Payload)).toMatchObject({
    errorType: 'Sandbox.Timedout',
    errorMessage: expect.stringContaining('Task timed out after 900.00 seconds') as string,
  });
});

test.each([
  ['exit status 7', 'process.exit(7)', 'exited with error: exit status 7'],
  ['exit status 0', 'process.exit(0)', 'exited without providing a reason'],
])('a handler that ends its process with %s crashes the runtime', async (_name, code, text) => {
  await stage.deploy('exits', `export const handler = async () => { console.log('last words'); ${code}; };`);
  expect(await stage.result('exits')).toEqual({
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${operator.requestId} Error: Runtime ${text}`,
  });
  expect(stage.text()).toContain('last words');
  expect(stage.lambda.workers()).toEqual({ all: 0, idle: 0 });
});

test('an error outside the handler’s promise is answered by its name', async () => {
  await stage.deploy(
    'uncaught',
    `export const handler = () => new Promise(() => { setTimeout(() => { throw new RangeError('late'); }, 1); });`,
  );
  expect(await stage.result('uncaught')).toMatchObject({ errorType: 'RangeError', errorMessage: 'late' });
});

test('a forgotten rejection is answered as the runtime’s own error', async () => {
  await stage.deploy(
    'forgets',
    `export const handler = () => { void Promise.reject(new Error('yikes')); return new Promise(() => {}); };`,
  );
  expect(await stage.result('forgets')).toMatchObject({
    errorType: 'Runtime.UnhandledPromiseRejection',
    errorMessage: 'Error: yikes',
  });
});

test('a handler that fills its memory is killed, and nothing else is', async () => {
  await stage.deploy(
    'hoards',
    `export const handler = async () => { const all: unknown[] = []; for (;;) all.push(new Array(10_000).fill({})); };`,
  );
  expect(await stage.result('hoards')).toMatchObject({
    errorType: 'Runtime.ExitError',
    errorMessage: expect.stringContaining('signal: killed') as string,
  });
});

test.each([
  [
    'a missing export',
    `export const other = 1;`,
    'Runtime.HandlerNotFound',
    'index.handler is undefined or not exported',
  ],
  [
    'a callback',
    `export const handler = (e: unknown, c: unknown, done: () => void) => done();`,
    'Runtime.CallbackHandlerDeprecated',
    'takes a callback',
  ],
  [
    'an error while loading',
    `throw new TypeError('no config'); export const handler = 1;`,
    'TypeError',
    'no config',
  ],
  [
    'a missing module',
    `module.require('./' + 'absent'); export const handler = 1;`,
    'Runtime.ImportModuleError',
    'absent',
  ],
])('%s is an error of its own', async (_name, source, errorType, message) => {
  await stage.deploy('broken', source);
  const failure = (await stage.result('broken')) as { errorMessage: string };
  expect(failure).toMatchObject({ errorType });
  expect(failure.errorMessage).toContain(message);
  expect(stage.lambda.workers().all).toBe(0);
});

test('a response beyond 6 MB is refused', async () => {
  await stage.deploy('floods', `export const handler = async (n: number) => 'x'.repeat(n);`, {
    MemorySize: 512,
  });
  expect(((await stage.result('floods', 6_291_000)) as string).length).toBe(6_291_000);
  expect(await stage.result('floods', 6_300_000)).toMatchObject({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
  });
});

test('an environment whose keys have ended is replaced', async () => {
  await stage.deploy('keys', `let calls = 0; export const handler = async () => ++calls;`);
  stage.expiresAt = 0;
  expect(await stage.result('keys')).toBe(1);
  expect(await stage.result('keys')).toBe(1);
  expect(stage.assumed).toHaveLength(2);
});

test('idle environments end after the idle time', async () => {
  const limits = new VirtualClock();
  stage = new Stage({ limits });
  await stage.deploy('idle', `export const handler = async () => 1;`);
  await stage.result('idle');
  expect(stage.lambda.workers()).toEqual({ all: 1, idle: 1 });
  limits.advance();
  expect(stage.lambda.workers()).toEqual({ all: 0, idle: 0 });
});

test('no more environments are kept idle than allowed, the longest idle goes first', async () => {
  stage = new Stage({ idleWorkers: 1 });
  await stage.deploy('one', `let n = 0; export const handler = async () => ++n;`);
  await stage.create('two', { Code: { S3Bucket: 'assets', S3Key: 'one' } });
  await stage.result('one');
  await stage.result('two');
  expect(stage.lambda.workers()).toEqual({ all: 1, idle: 1 });
  expect(await stage.result('two')).toBe(2);
});

test('a role that may not write logs leaves the function running without them', async () => {
  stage.denied = (access) => access.action === 'logs:PutLogEvents';
  await stage.deploy('mute', `export const handler = async () => { console.log('unheard'); return 1; };`);
  expect(await stage.result('mute')).toBe(1);
  expect(stage.lines).toEqual([]);
  expect(stage.warnings).toHaveLength(1);
});
