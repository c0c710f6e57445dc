import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { secretPolicyParameter } from '../../domain/names';
import { parsePolicy } from '../../domain/policy';
import type { RotatedSecretProps } from '../../infra/rotated-secret';
import { allowedTo, newApp, orchestratorIn, resource, rotatedSecretIn, stack, written } from './templates';

const shared = 'arn:aws:ssm:eu-central-1:444455556666:document/company-freeze';
const here = 'arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>';
const turns = `${here}:parameter/rotor/groups/shop_20databases/turns`;
const policyAlone = [['ssm:GetParameter'], [`${here}:parameter/rotor/secrets/team_2fapp/policy`], undefined];

const app = newApp();
const scope = stack('Stack', app);
let made: Template;
const rightsOf = (template: Template, name: string) =>
  allowedTo(template, `Role of the function rotor-${name}`)
    .filter(({ actions }) => actions.some((action) => action.startsWith('ssm:')))
    .map(({ actions, resources, condition }) => [actions, resources, condition]);

function enrolledWith(policy: NonNullable<RotatedSecretProps['policy']>, into = stack()): Template {
  rotatedSecretIn(into, orchestratorIn(into), { policy });
  return Template.fromStack(into);
}

beforeAll(() => {
  const group = { name: 'shop databases', minimumDistanceSeconds: 600 };
  made = enrolledWith({ changeCalendars: ['year-end', shared], group, urgency: 'compromised' }, scope);
});

test('a secret without calendars and group lets the rotation function read its policy, and no more', () => {
  expect(rightsOf(enrolledWith({}), 'rotation')).toEqual([policyAlone]);
});

test('calendars that the policy names are asked, turns of its own group are taken, and never overwritten', () => {
  expect(rightsOf(made, 'rotation')).toEqual([
    policyAlone,
    [['ssm:GetCalendarState'], [`${here}:document/year-end`, shared], undefined],
    [
      ['ssm:GetParametersByPath', 'ssm:GetParameter', 'ssm:PutParameter', 'ssm:DeleteParameter'],
      [turns, `${turns}/*`],
      { StringNotEquals: { 'ssm:Overwrite': 'true' } },
    ],
  ]);
});

test('no other function may do any of it', () => {
  for (const name of ['plan', 'alert', 'finish-secret', 'set-secret'])
    expect(JSON.stringify(rightsOf(made, name))).not.toMatch(/GetCalendarState|PutParameter|groups/);
});

test('what the policy says reaches the parameter that the rotation function reads', () => {
  const parameter = resource(made, 'AWS::SSM::Parameter').Properties;
  expect(parameter['Name']).toBe(secretPolicyParameter('team/app'));
  expect(parsePolicy(written(parameter['Value']), 'the parameter')).toMatchObject({
    changeCalendars: ['year-end', shared],
    group: { name: 'shop databases', minimumDistanceSeconds: 600 },
    urgency: 'compromised',
  });
});

test('cdk-nag finds nothing about it', () => {
  const { violations } = new AwsSolutionsChecks().validateScope(app);
  const found = violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath = '' }) => `${constructPath}: ${ruleName}`),
  );
  expect(found.filter((finding) => finding.includes('/Rotated/'))).toEqual([]);
});

test('a calendar that cannot be one is refused at synthesis', () => {
  expect(() => enrolledWith({ changeCalendars: ['year end'] })).toThrow(/field changeCalendars\.0/);
});
