import { checkDefinition } from '../../../local/step-functions/validation';
import { task, waitingTask, Workbench } from './workbench';

const end = { Type: 'Pass', End: true };
const inner = (states: object) => ({ StartAt: Object.keys(states)[0], States: states });
const map = (states: object, rest: object = {}) => ({
  Type: 'Map',
  Items: [1],
  ItemProcessor: inner(states),
  End: true,
  ...rest,
});
const distributed = (states: object, rest: object = {}, type?: string) => ({
  ...map(states, rest),
  ItemProcessor: {
    ...inner(states),
    ProcessorConfig: {
      Mode: 'DISTRIBUTED',
      ...(type === undefined ? {} : { ExecutionType: type }),
    },
  },
});
const assign = (rest: object = {}) => ({ Type: 'Pass', Assign: { wave: 1 }, ...rest });
const readWave = { Type: 'Pass', Output: '{% $wave %}', End: true };

async function findings(states: object, rest: object = {}) {
  const definition = { QueryLanguage: 'JSONata', ...inner(states), ...rest };
  return checkDefinition(JSON.stringify(definition));
}

describe('a definition is refused', () => {
  it.each<[string, object, string, RegExp]>([
    [
      'a transition to nowhere',
      { A: { Type: 'Pass', Next: 'Z' } },
      '/States/A/Next',
      /Missing 'Next' target: Z/,
    ],
    ['an unreachable state', { A: end, B: end }, '/', /State B is not reachable/],
    [
      'a Catch that leaves its Map',
      {
        A: map({ I: task({ Catch: [{ ErrorEquals: ['X'], Next: 'B' }] }) }, { End: undefined, Next: 'B' }),
        B: end,
      },
      '/States/A/ItemProcessor/States/I/Catch/0/Next',
      /target: B/,
    ],
    [
      'States.ALL that is not alone',
      { A: task({ Retry: [{ ErrorEquals: ['States.ALL', 'X'] }] }) },
      '/States/A/Retry/0/ErrorEquals',
      /alone/,
    ],
    [
      'States.ALL that is not last',
      { A: task({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['X'] }] }) },
      '/States/A/Retry/0/ErrorEquals',
      /last/,
    ],
    [
      'a variable that shadows an outer one',
      {
        O: { Type: 'Pass', Assign: { a: 1 }, Next: 'M' },
        M: map({ I: { Type: 'Pass', Assign: { a: 2 }, End: true } }),
      },
      '/States/M/ItemProcessor/States/I/Assign/a',
      /outer scope/,
    ],
    [
      'a variable named states',
      { A: { ...end, Assign: { states: 1 } } },
      '/States/A/Assign/states',
      /valid variable name/,
    ],
    [
      '$states.result in a Catch',
      { A: task({ Catch: [{ ErrorEquals: ['X'], Next: 'B', Output: '{% $states.result %}' }] }), B: end },
      '/States/A/Catch/0/Output',
      /\$states\.result is not available/,
    ],
    [
      '$states.result in a Pass',
      { A: { ...end, Output: '{% $states.result %}' } },
      '/States/A/Output',
      /not available/,
    ],
    [
      '$states.errorOutput outside of a Catch',
      { A: task({ Output: '{% $states.errorOutput %}' }) },
      '/States/A/Output',
      /\$states\.errorOutput is not available/,
    ],
    [
      'an expression that is no JSONata',
      { A: { ...end, Output: { deep: ['{% $count( %}'] } } },
      '/States/A/Output/deep/0',
      /The JSONata expression '\$count\(' is not valid/,
    ],
    ['$eval', { A: { ...end, Output: "{% $eval('1') %}" } }, '/States/A/Output', /\$eval is not supported/],
    [
      'an expression without its end',
      { A: { ...end, Output: '{% 1' } },
      '/States/A/Output',
      /first and the last/,
    ],
    [
      'a JSONPath field',
      { A: { ...end, InputPath: '$.a' } },
      '/States/A/InputPath',
      /'InputPath' is not supported/,
    ],
    ['Result', { A: { ...end, Result: 1 } }, '/States/A/Result', /'Result' is not supported/],
    ['an unknown field', { A: { ...end, Colour: 'red' } }, '/States/A', /is invalid/],
    [
      'a heartbeat that is longer than the timeout',
      { A: waitingTask({ TimeoutSeconds: 10, HeartbeatSeconds: 10 }) },
      '/States/A/HeartbeatSeconds',
      /smaller than TimeoutSeconds/,
    ],
    [
      'a JSONPath state in a JSONata machine',
      { A: { ...end, QueryLanguage: 'JSONPath' } },
      '/States/A/QueryLanguage',
      /cannot have JSONPath states/,
    ],
    [
      'a distributed Map that reads an outer variable in its states',
      { O: assign({ Next: 'M' }), M: distributed({ I: readWave }, {}, 'STANDARD') },
      '/States/M/ItemProcessor/States/I/Output',
      /cannot read the outer variable \$wave/,
    ],
    [
      'one that does so from inside of another Map',
      { O: assign({ Next: 'M' }), M: distributed({ N: map({ I: readWave }) }, {}, 'STANDARD') },
      '/States/M/ItemProcessor/States/N/ItemProcessor/States/I/Output',
      /cannot read the outer variable \$wave/,
    ],
    [
      'one without ExecutionType',
      { M: distributed({ I: end }) },
      '/States/M/ItemProcessor/ProcessorConfig',
      /must have an ExecutionType/,
    ],
    [
      'an empty Label',
      { M: distributed({ I: end }, { Label: '' }, 'STANDARD') },
      '/States/M/Label',
      /1 to 40 characters/,
    ],
    [
      'a Label of more than 40 characters',
      { M: distributed({ I: end }, { Label: 'a'.repeat(41) }, 'STANDARD') },
      '/States/M/Label',
      /1 to 40 characters/,
    ],
    [
      'a Label with forbidden characters',
      { M: distributed({ I: end }, { Label: 'one wave' }, 'STANDARD') },
      '/States/M/Label',
      /not a valid Label/,
    ],
    [
      'the same Label twice',
      {
        M: { ...distributed({ I: end }, { Label: 'Each' }, 'STANDARD'), End: undefined, Next: 'N' },
        N: distributed({ J: end }, { Label: 'Each' }, 'STANDARD'),
      },
      '/States/N/Label',
      /same Label/,
    ],
    ['a name twice', { A: map({ A: end }) }, '/', /already exists: A/],
  ])('with %s', async (_, states, location, message) => {
    const errors = (await findings(states)).filter(({ severity }) => severity === 'ERROR');
    expect(errors).not.toEqual([]);
    expect(errors[0]).toMatchObject({ location, message: expect.stringMatching(message) as string });
  });

  it.each<[string, object, object]>([
    ['JSONPath', { A: task({ QueryLanguage: 'JSONPath' }) }, { QueryLanguage: 'JSONPath' }],
    ['EXPRESS child executions', { A: distributed({ I: end }, {}, 'EXPRESS') }, {}],
    ['ItemBatcher', { A: map({ I: end }, { ItemBatcher: { MaxItemsPerBatch: 2 } }) }, {}],
    ['ItemReader', { A: map({ I: end }, { ItemReader: {} }) }, {}],
    ['arn:aws:states:::dynamodb:getItem', { A: task({ Resource: 'arn:aws:states:::dynamodb:getItem' }) }, {}],
    [
      'arn:aws:states:::aws-sdk:s3:getObject',
      { A: task({ Resource: 'arn:aws:states:::aws-sdk:s3:getObject' }) },
      {},
    ],
    [
      'states:startExecution.sync:2',
      { A: task({ Resource: 'arn:aws:states:::states:startExecution.sync:2' }) },
      {},
    ],
  ])('by name where AWS would take it: %s', async (name, states, rest) => {
    const [first] = await findings(states, rest);
    expect(first).toMatchObject({
      severity: 'ERROR',
      message: expect.stringMatching(/^The embedded cloud does not implement/) as string,
    });
    expect(first?.message).toContain(name);
  });

  it('as InvalidDefinition with place and reason', async () => {
    const bench = new Workbench();
    await expect(bench.create({ A: task({ Output: '{% ( %}' }) })).rejects.toMatchObject({
      code: 'InvalidDefinition',
      message: expect.stringMatching(
        /^Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: .* at \/States\/A\/Output'$/,
      ) as string,
    });
  });

  it('when it is no JSON object', async () => {
    for (const text of ['', '[]', '{'])
      expect(await checkDefinition(text)).toMatchObject([{ code: 'INVALID_JSON_DESCRIPTION' }]);
  });
});

describe('a definition is taken', () => {
  it.each<[string, object]>([
    ['any JSON as Output', { A: { ...end, Output: [1, null, 'text', '{% 1 %}'] } }],
    [
      'a literal Condition',
      { A: { Type: 'Choice', Choices: [{ Condition: true, Next: 'B', Output: 'x' }], Default: 'B' }, B: end },
    ],
    [
      'a text as the Output of a Catch',
      {
        A: task({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B', Output: 'x', Assign: { a: 1 } }] }),
        B: end,
      },
    ],
    [
      'the same variable in two scopes beside each other',
      {
        P: {
          Type: 'Parallel',
          Branches: [inner({ A: { ...end, Assign: { a: 1 } } }), inner({ B: { ...end, Assign: { a: 1 } } })],
          End: true,
        },
      },
    ],
    [
      'the same variable in a Parallel and its own Catch',
      {
        P: {
          Type: 'Parallel',
          Branches: [inner({ A: { ...end, Assign: { a: 1 } } })],
          Catch: [{ ErrorEquals: ['X'], Next: 'B', Assign: { a: 2 } }],
          End: true,
        },
        B: end,
      },
    ],
    [
      'a distributed Map whose ItemSelector reads outer variables, and whose states read their own',
      {
        O: assign({ Next: 'M' }),
        M: distributed(
          {
            I: { Type: 'Pass', Assign: { inner: 1 }, Next: 'J' },
            J: { ...readWave, Output: '{% $inner %}' },
          },
          { Label: 'Each', ItemSelector: { wave: '{% $wave %}' }, MaxConcurrency: 1000 },
          'STANDARD',
        ),
      },
    ],
    [
      'functions, lambdas, bindings and regular expressions',
      {
        A: {
          ...end,
          Output: "{% ($f := function($x) { $x * 2 }; $map([1..3], $f)@$v.$contains('a', /b$/)) %}",
        },
      },
    ],
  ])('with %s', async (_, states) => {
    expect(await findings(states)).toEqual([]);
  });

  it('with a warning about a variable that nothing assigns', async () => {
    expect(await findings({ A: { ...end, Output: '{% $doesNotExist %}' } })).toMatchObject([
      { severity: 'WARNING', code: 'UNDEFINED_VARIABLE', location: '/States/A/Output' },
    ]);
  });

  it('with a warning about a token that nobody gets', async () => {
    const states = { A: waitingTask({ Arguments: { FunctionName: 'f' } }) };
    expect(await findings(states)).toMatchObject([{ severity: 'WARNING', code: 'TASK_TOKEN_UNUSED' }]);
  });
});

describe('ValidateStateMachineDefinition', () => {
  it('gives errors, and warnings on request', async () => {
    const bench = new Workbench();
    const definition = JSON.stringify({
      QueryLanguage: 'JSONata',
      ...inner({ A: { ...end, Output: '{% $gone %}' } }),
    });
    expect(await bench.operate('ValidateStateMachineDefinition', { definition })).toEqual({
      result: 'OK',
      diagnostics: [],
      truncated: false,
    });
    expect(
      await bench.operate('ValidateStateMachineDefinition', { definition, severity: 'WARNING' }),
    ).toMatchObject({ result: 'OK', diagnostics: [{ code: 'UNDEFINED_VARIABLE' }] });
  });
});
