import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as secretsManager from '@aws-sdk/client-secrets-manager';
import * as ssm from '@aws-sdk/client-ssm';
import aslValidator from 'asl-validator';
import jsonata from 'jsonata';
import { rotorErrors } from '../../domain/errors';
import { largeWaveLabel } from '../../domain/names';
import {
  allStates,
  deployed,
  expressionOf,
  machine,
  reachableFrom,
  scopes,
  stateNamed,
  substitutions,
  textsIn,
} from './workflow';

const source = readFileSync(
  path.resolve(__dirname, '..', '..', 'statemachines', 'rotation.asl.yaml'),
  'utf8',
);

/** Error names that are not Rotor's own, and who raises them. */
const foreignErrors: Readonly<Record<string, readonly string[]>> = {
  'Step Functions, "Handling errors in workflows"': [
    'States.ALL',
    'States.TaskFailed',
    'States.Timeout',
    'States.HeartbeatTimeout',
    'States.QueryEvaluationError',
    'States.ExceedToleratedFailureThreshold',
  ],
  'Step Functions, "Handle transient Lambda service exceptions"': [
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
    'Lambda.Unknown',
  ],
  'the Lambda runtime: time limit exceeded, process ended': ['Sandbox.Timedout', 'Runtime.ExitError'],
  'the SDK inside a function, by the names of the service models': [
    'InternalServiceError',
    'InternalServerError',
    'InternalErrorException',
    'LimitExceededException',
    'ThrottlingException',
    'ThrottledException',
    'KMSThrottlingException',
    'TooManyRequestsException',
  ],
  'the SDK inside a function: its own HTTP time limits': ['TimeoutError'],
};

test('asl-validator finds no fault in what is deployed', () => {
  const { isValid, errors } = aslValidator(machine());
  expect(errors).toEqual([]);
  expect(isValid).toBe(true);
});

test('anchors, merge keys and drafts are resolved in what is deployed', () => {
  expect(source).toContain('<<: *');
  const paths = textsIn(JSON.parse(deployed.text)).map(([where]) => where);
  expect(paths.filter((where) => /\.<<|^\.x-|\.\*/.test(where))).toEqual([]);
  expect(deployed.text).not.toMatch(/"\*[a-z-]+"/);
});

test('every anchor is used', () => {
  const anchors = [...source.matchAll(/&([a-z-]+)\b/g)].map((match) => match[1] ?? '');
  expect(anchors.length).toBeGreaterThan(5);
  expect(anchors.filter((name) => !new RegExp(`\\*${name}\\b`).test(source))).toEqual([]);
});

test('each value that deployment puts in is known, and each known one is used', () => {
  const used = new Set([...deployed.text.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] ?? ''));
  expect([...used].sort()).toEqual([...substitutions].sort());
});

test('it speaks JSONata throughout and has a time limit beyond what deadlines add up to', () => {
  const { QueryLanguage, TimeoutSeconds } = machine();
  expect(QueryLanguage).toBe('JSONata');
  expect(TimeoutSeconds).toBeGreaterThan(14 * 86_400);
  expect(TimeoutSeconds).toBeLessThan(365 * 86_400);
  const jsonPath = /\.(Parameters|ResultPath|InputPath|OutputPath|ResultSelector|ItemsPath)$/;
  expect(textsIn(machine()).filter(([where]) => jsonPath.test(where))).toEqual([]);
});

test('every state can be reached', () => {
  for (const { startAt, states } of scopes())
    expect(reachableFrom(startAt, states)).toEqual(Object.keys(states).sort());
});

test('every task has Retry and Catch, and the last Catch takes everything', () => {
  const tasks = allStates.filter(([, { Type }]) => Type === 'Task');
  expect(tasks.length).toBeGreaterThan(15);
  expect(tasks.filter(([, { Retry = [] }]) => Retry.length === 0)).toEqual([]);
  expect(tasks.filter(([, { Catch = [] }]) => Catch.at(-1)?.ErrorEquals[0] !== 'States.ALL')).toEqual([]);
});

test('States.ALL stands alone, and last', () => {
  for (const [, { Retry = [], Catch = [] }] of allStates)
    for (const rules of [Retry, Catch])
      rules.forEach(({ ErrorEquals }, index) => {
        if (!ErrorEquals.includes('States.ALL')) return;
        expect(ErrorEquals).toEqual(['States.ALL']);
        expect(index).toBe(rules.length - 1);
      });
});

test("every error name that a rule matches is Rotor's own or known from AWS", () => {
  const known = new Set([...Object.keys(rotorErrors), ...Object.values(foreignErrors).flat()]);
  const matched = allStates.flatMap(([, { Retry = [], Catch = [] }]) =>
    [...Retry, ...Catch].flatMap(({ ErrorEquals }) => ErrorEquals),
  );
  expect([...new Set(matched)].filter((name) => !known.has(name))).toEqual([]);
  expect(
    Object.values(foreignErrors)
      .flat()
      .filter((name) => !matched.includes(name)),
  ).toEqual([]);
});

test('the retried names of Secrets Manager and Parameter Store are those that their clients raise', () => {
  const options = { message: 'why', Message: 'why', $metadata: {} };
  const raised = [
    new secretsManager.InternalServiceError(options),
    new secretsManager.LimitExceededException(options),
    new ssm.ThrottlingException(options),
  ];
  const retried = allStates.flatMap(([, { Retry = [] }]) => Retry.flatMap(({ ErrorEquals }) => ErrorEquals));
  for (const { name } of raised) expect(retried).toContain(name);
});

test("every error that Rotor's Fail states and Assigns name is declared", () => {
  const ownFailures = ['RotationFailed', 'AlertFailed', 'none'];
  const named = textsIn(machine())
    .filter(([where, text]) => /\.(error|Error)$/.test(where) && expressionOf(text) === undefined)
    .map(([, text]) => text);
  expect(named).toContain('ConsumerSilent');
  expect(named.filter((name) => !ownFailures.includes(name) && !(name in rotorErrors))).toEqual([]);
});

test('no retrier tries for ever or without a pause', () => {
  for (const [, { Retry = [] }] of allStates)
    for (const { MaxAttempts, IntervalSeconds } of Retry) {
      expect(MaxAttempts).toBeLessThanOrEqual(20);
      if (MaxAttempts !== 0) expect(IntervalSeconds).toBeGreaterThanOrEqual(1);
    }
});

test('whoever waits for a task token has an end, and an application a heartbeat', () => {
  const waiting = allStates.filter(([, { Resource = '' }]) => Resource.endsWith('.waitForTaskToken'));
  expect(waiting.map(([name]) => name).sort()).toEqual(['Ask', 'AskApart', 'Hold', 'HoldPlainly']);
  expect(stateNamed('AskWave')['ItemProcessor']).toMatchObject({
    States: { Ask: { HeartbeatSeconds: expect.any(String) as string } },
  });
  for (const [, state] of waiting) expect(state['TimeoutSeconds']).toBeDefined();
  expect(stateNamed('Hold')['TimeoutSeconds']).toBe(7 * 86_400);
});

test('the iterations of a large wave are those of the others, under names of their own', () => {
  const [small, large] = ['AskWave', 'AskLargeWave'].map((name) => stateNamed(name).ItemProcessor);
  const renamed = JSON.stringify(small?.States)
    .replace(/"(Next|Default)":"(\w+)"/g, '"$1":"$2Apart"')
    .replace(/"(\w+)":\{"Type"/g, '"$1Apart":{"Type"');
  expect(large?.States).toEqual(JSON.parse(renamed));
  expect([small?.StartAt, large?.StartAt]).toEqual(['Ask', 'AskApart']);
  expect(large?.['ProcessorConfig']).toEqual({ Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' });
  expect(stateNamed('AskLargeWave')['Label']).toBe(largeWaveLabel);
  // Expressions there see no variables but the functions' own (AWS: Passing data, "Distributed Map").
  const expressions = textsIn(large?.States).flatMap(([, text]) => expressionOf(text) ?? []);
  const variables = expressions.flatMap((text) =>
    [...text.matchAll(/\$(\w+)(?!\w*\()/g)].map((match) => match[1]),
  );
  expect([...new Set(variables)]).toEqual(['states']);
});

test('every expression is JSONata', () => {
  const expressions = textsIn(machine()).flatMap(([where, text]) => {
    const expression = expressionOf(text);
    return expression === undefined ? [] : [[where, expression] as const];
  });
  expect(expressions.length).toBeGreaterThan(100);
  const broken = expressions.filter(([, expression]) => {
    try {
      jsonata(expression);
      return false;
    } catch {
      return true;
    }
  });
  expect(broken).toEqual([]);
});

test('every variable that an expression reads is assigned somewhere, bound in it, or a function', () => {
  const assigned = new Set(
    allStates.flatMap(([, state]) =>
      [
        state.Assign,
        ...(state.Catch ?? []).map(({ Assign }) => Assign),
        ...(state.Choices ?? []).map(({ Assign }) => Assign),
      ].flatMap((names) => Object.keys(names ?? {})),
    ),
  );
  const functions =
    /^(states|count|append|merge|exists|parse|string|join|millis|toMillis|fromMillis|now|min|max|power|floor|ceil|substring|split|replace|not|lookup)$/;
  const unknown = textsIn(machine()).flatMap(([where, text]) => {
    const expression = expressionOf(text);
    if (expression === undefined) return [];
    const bound = new Set([...expression.matchAll(/\$(\w+)\s*:=/g)].map((match) => match[1]));
    return [...expression.matchAll(/\$(\w+)/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => !assigned.has(name) && !bound.has(name) && !functions.test(name))
      .map((name) => `${where}: $${name}`);
  });
  expect(unknown).toEqual([]);
});

test('nothing that could hold a secret value is passed on', () => {
  const suspicious =
    /password|passwd|secretstring|secretbinary|secretvalue|\bcredential\b|rotationtoken|apikey|privatekey/i;
  const sent = allStates.flatMap(([name, state]) => textsIn(state.Arguments, name));
  const found = sent.filter(
    ([where, text]) =>
      suspicious.test(where.split('.').at(-1) ?? '') || suspicious.test(expressionOf(text) ?? ''),
  );
  // The rules of the policy: length, classes, exclusions.
  expect(found).toEqual([['CreateSecret.Payload.password', '{% $plan.policy.password %}']]);
});

test('a test alone calls the test and nothing that changes anything', () => {
  expect(reachableFrom('TestCurrent', machine().States)).toEqual([
    'AlertFailed',
    'AlertOperators',
    'AlertPlainly',
    'RotationFailed',
    'TestCurrent',
  ]);
  expect(stateNamed('TestCurrent').End).toBe(true);
});

test('a failed rotation ends in one of two Fail states, of which the first says that the alert was sent', () => {
  expect(
    Object.entries(machine().States)
      .filter(([, { Type }]) => Type === 'Fail')
      .map(([name, state]) => [name, state['Error']]),
  ).toEqual([
    ['RotationFailed', 'RotationFailed'],
    ['AlertFailed', 'AlertFailed'],
  ]);
});
