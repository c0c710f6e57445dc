import { readWorkflow } from '../../infra/workflow';

const yaml = `
x-task: &task
  Type: Task
  Resource: arn:aws:states:::lambda:invoke
StartAt: Only
States:
  Only:
    <<: *task
    Arguments: { FunctionName: '\${PlanFunctionArn}' }
    End: true
`;

describe('the workflow’s text', () => {
  it('is JSON without the anchors’ home, and with what they stand for', () => {
    expect(JSON.parse(readWorkflow({ PlanFunctionArn: 'arn' }, yaml).text)).toEqual({
      StartAt: 'Only',
      States: {
        Only: {
          Type: 'Task',
          Resource: 'arn:aws:states:::lambda:invoke',
          Arguments: { FunctionName: '${PlanFunctionArn}' },
          End: true,
        },
      },
    });
  });

  it('is given the values that it names, and no others', () => {
    expect(readWorkflow({ PlanFunctionArn: 'arn', BusName: 'rotor' }, yaml).substitutions).toEqual({
      PlanFunctionArn: 'arn',
    });
  });

  it('is refused when it names a value that nobody gives', () => {
    expect(() => readWorkflow({ BusName: 'rotor' }, yaml)).toThrow(/nobody gives: PlanFunctionArn/);
  });

  const maps = `
States:
  Small:
    Type: Map
    ItemProcessor:
      ProcessorConfig: { Mode: INLINE }
      StartAt: Ask
      States:
        Ask: { Type: Choice, Choices: [{ Condition: '{% true %}', Next: End }], Default: Ask }
        End: { Type: Succeed }
  Large:
    Type: Map
    ItemProcessor: { ProcessorConfig: { Mode: DISTRIBUTED }, x-states-of: Small, x-suffix: Apart }
`;

  it('has the states of one Map in another too, under names of their own', () => {
    const { States } = JSON.parse(readWorkflow({}, maps).text) as {
      readonly States: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    };
    expect(States['Large']?.['ItemProcessor']).toEqual({
      ProcessorConfig: { Mode: 'DISTRIBUTED' },
      StartAt: 'AskApart',
      States: {
        AskApart: {
          Type: 'Choice',
          Choices: [{ Condition: '{% true %}', Next: 'EndApart' }],
          Default: 'AskApart',
        },
        EndApart: { Type: 'Succeed' },
      },
    });
    expect(States['Small']?.['ItemProcessor']).toMatchObject({ StartAt: 'Ask' });
  });

  it('is refused when it copies the states of a Map that does not exist', () => {
    expect(() => readWorkflow({}, maps.replace('x-states-of: Small', 'x-states-of: Missing'))).toThrow(
      'the workflow has no object Missing',
    );
  });
});
