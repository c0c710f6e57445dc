import * as z from 'zod';
import type { Access, Call, Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { Bus, BusStore, Rule } from './bus';
import { byName, page } from './page';
import { compilePattern } from './pattern';
import { compileTarget, targetShape } from './target';

const ruleName = z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/);
const EventBusName = z.string().optional();
const tags = z.array(z.strictObject({ Key: z.string(), Value: z.string() }));
const putInput = z.object({
  Name: ruleName,
  EventBusName,
  EventPattern: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).optional(),
  Description: z.string().max(512).optional(),
  Tags: tags.optional(),
});
const onRule = z.object({ Name: ruleName, EventBusName });
const deleteInput = onRule.extend({ Force: z.boolean().optional() });
const paged = { NextToken: z.string().optional(), Limit: z.int().min(1).max(100).optional() };
const listInput = z.object({ NamePrefix: z.string().optional(), EventBusName, ...paged });
const byTargetInput = z.object({ TargetArn: z.string(), EventBusName, ...paged });
const targetsInput = z.object({ Rule: ruleName, EventBusName, ...paged });
const putTargetsInput = z.object({
  Rule: ruleName,
  EventBusName,
  Targets: z.array(targetShape).min(1).max(100),
});
const removeTargetsInput = z.object({
  Rule: ruleName,
  EventBusName,
  Ids: z.array(z.string()).min(1).max(100),
  Force: z.boolean().optional(),
});

/** Operations on rules and their targets. */
export function ruleOperations(
  surroundings: Surroundings,
  store: BusStore,
): Readonly<Record<string, Operation>> {
  const require = (
    call: Call,
    action: string,
    busReference: string | undefined,
    name: string,
    conditions: NonNullable<Access['conditions']> = {},
  ) =>
    surroundings.authorize(call, {
      action: `events:${action}`,
      resource: store.ruleArn(store.busName(busReference), name),
      conditions,
    });
  const setEnabled =
    (operation: string, enabled: boolean): Operation =>
    async (input, call) => {
      const { Name, EventBusName: bus } = parseInput(operation, onRule, input);
      require(call, operation, bus, Name);
      store.rule(Name, bus).enabled = enabled;
      return {};
    };

  return {
    async PutRule(input, call) {
      const request = parseInput('PutRule', putInput, input);
      require(call, 'PutRule', request.EventBusName, request.Name);
      const bus = store.bus(request.EventBusName);
      return { RuleArn: putRule(bus, request, store.ruleArn(bus.name, request.Name)).arn };
    },

    async DescribeRule(input, call) {
      const { Name, EventBusName: bus } = parseInput('DescribeRule', onRule, input);
      require(call, 'DescribeRule', bus, Name);
      return { ...describe(store.rule(Name, bus)), CreatedBy: surroundings.account };
    },

    EnableRule: setEnabled('EnableRule', true),
    DisableRule: setEnabled('DisableRule', false),

    async DeleteRule(input, call) {
      const { Name, EventBusName: reference } = parseInput('DeleteRule', deleteInput, input);
      require(call, 'DeleteRule', reference, Name);
      const bus = store.bus(reference);
      if ((bus.rules.get(Name)?.targets.size ?? 0) > 0)
        throw new ServiceError('ValidationException', "Rule can't be deleted since it has targets.");
      bus.rules.delete(Name);
      return {};
    },

    async ListRules(input, call) {
      const request = parseInput('ListRules', listInput, input);
      require(call, 'ListRules', request.EventBusName, '*');
      const bus = store.bus(request.EventBusName);
      const { items, next } = page(
        byName(bus.rules.values(), request.NamePrefix),
        request.Limit,
        request.NextToken,
      );
      return { Rules: items.map(describe), NextToken: next };
    },

    async ListRuleNamesByTarget(input, call) {
      const request = parseInput('ListRuleNamesByTarget', byTargetInput, input);
      require(call, 'ListRuleNamesByTarget', request.EventBusName, '*');
      const rules = byName(store.bus(request.EventBusName).rules.values()).filter((rule) =>
        [...rule.targets.values()].some((target) => target.declared.Arn === request.TargetArn),
      );
      const { items, next } = page(rules, request.Limit, request.NextToken);
      return { RuleNames: items.map((rule) => rule.name), NextToken: next };
    },

    async PutTargets(input, call) {
      const { Rule: name, EventBusName: bus, Targets } = parseInput('PutTargets', putTargetsInput, input);
      require(call, 'PutTargets', bus, name, { 'events:TargetArn': Targets.map((target) => target.Arn) });
      const rule = store.rule(name, bus);
      const compiled = Targets.map((target) => compileTarget(surroundings.account, target));
      if (Targets.some((target) => target.Arn === store.busArn(rule.busName)))
        throw new ServiceError(
          'ValidationException',
          `Event bus ${rule.busName} cannot be a target of its own rule.`,
        );
      const ids = new Set([...rule.targets.keys(), ...Targets.map((target) => target.Id)]);
      if (ids.size > 5)
        throw new ServiceError(
          'LimitExceededException',
          'The requested resource exceeds the maximum number allowed.',
        );
      for (const target of compiled) rule.targets.set(target.declared.Id, target);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },

    async ListTargetsByRule(input, call) {
      const request = parseInput('ListTargetsByRule', targetsInput, input);
      require(call, 'ListTargetsByRule', request.EventBusName, request.Rule);
      const targets = [...store.rule(request.Rule, request.EventBusName).targets.values()];
      const { items, next } = page(targets, request.Limit, request.NextToken);
      return { Targets: items.map((target) => target.declared), NextToken: next };
    },

    async RemoveTargets(input, call) {
      const { Rule: name, EventBusName: bus, Ids } = parseInput('RemoveTargets', removeTargetsInput, input);
      require(call, 'RemoveTargets', bus, name);
      const rule = store.rule(name, bus);
      const missing = Ids.filter((id) => !rule.targets.delete(id));
      return {
        FailedEntryCount: missing.length,
        FailedEntries: missing.map((id) => ({
          TargetId: id,
          ErrorCode: 'ResourceNotFoundException',
          ErrorMessage: `Rule ${name} does not have a target with the Id ${id}.`,
        })),
      };
    },
  };
}

function putRule(bus: Bus, request: z.infer<typeof putInput>, arn: string): Rule {
  const { Name, EventPattern, State, Description } = request;
  if (EventPattern === undefined)
    throw new ServiceError(
      'ValidationException',
      'Parameter(s) EventPattern or ScheduleExpression must be specified.',
    );
  if (EventPattern.length > 2048)
    throw new ServiceError('LimitExceededException', 'The event pattern is longer than 2048 characters.');
  const settings = {
    pattern: EventPattern,
    matches: compilePattern(EventPattern),
    enabled: State !== 'DISABLED',
    description: Description,
  };
  const existing = bus.rules.get(Name);
  if (existing !== undefined) return Object.assign(existing, settings);
  if (bus.rules.size >= 300)
    throw new ServiceError(
      'LimitExceededException',
      'The requested resource exceeds the maximum number allowed.',
    );
  const rule = { name: Name, arn, busName: bus.name, targets: new Map(), ...settings };
  bus.rules.set(Name, rule);
  return rule;
}

function describe(rule: Rule): object {
  return {
    Name: rule.name,
    Arn: rule.arn,
    EventPattern: rule.pattern,
    State: rule.enabled ? 'ENABLED' : 'DISABLED',
    Description: rule.description,
    EventBusName: rule.busName,
  };
}
