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
});
