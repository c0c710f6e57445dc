import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Call, Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { assertArn, assertName, machineArn } from './arns';
import { page } from './paging';
import type { MachineRecord, Records } from './records';
import type { AssumeRole } from './service-role';
import { assertDefinition, checkDefinition } from './validation';

const arn = z.string().min(1).max(256);
const definition = z.string().min(1).max(1_048_576);
// Taken and shown again; nothing is logged or traced.
const settings = {
  loggingConfiguration: z.record(z.string(), z.unknown()).optional(),
  tracingConfiguration: z.object({ enabled: z.boolean() }).optional(),
};
const tags = z.array(z.object({ key: z.string(), value: z.string() }));
const shapes = {
  CreateStateMachine: z.object({
    name: z.string().min(1).max(80),
    definition,
    roleArn: arn,
    type: z.string().optional(),
    tags: tags.optional(),
    ...settings,
  }),
  UpdateStateMachine: z.object({
    stateMachineArn: arn,
    definition: definition.optional(),
    roleArn: arn.optional(),
    ...settings,
  }),
  DeleteStateMachine: z.object({ stateMachineArn: arn }),
  DescribeStateMachine: z.object({ stateMachineArn: arn }),
  ListStateMachines: z.object({
    maxResults: z.number().int().min(0).max(1000).optional(),
    nextToken: z.string().optional(),
  }),
  TagResource: z.object({ resourceArn: arn, tags }),
  ListTagsForResource: z.object({ resourceArn: arn }),
  ValidateStateMachineDefinition: z.object({
    definition,
    type: z.string().optional(),
    severity: z.enum(['ERROR', 'WARNING']).optional(),
    maxResults: z.number().int().min(0).max(100).optional(),
  }),
};

/** AWS's error for a machine that is not there. */
export function machineMissing(arn: string): ServiceError {
  return new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
}

/** The operations on state machines and their tags. */
export function machineOperations(
  surroundings: Surroundings,
  records: Records,
  assumeRole?: AssumeRole,
): Record<string, Operation> {
  const { authorize, clock } = surroundings;
  const find = (arn: string): MachineRecord => {
    assertArn(arn, 'stateMachine');
    const record = records.machines.get(arn);
    if (record === undefined) throw machineMissing(arn);
    return record;
  };
  const admitRole = (call: Call, roleArn: string): void => {
    authorize(call, {
      action: 'iam:PassRole',
      resource: roleArn,
      conditions: { 'iam:PassedToService': 'states.amazonaws.com' },
    });
    try {
      assumeRole?.(roleArn, 'Validation');
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new ServiceError(
        'AccessDeniedException',
        'Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.',
      );
    }
  };
  const findTagged = (arn: string): MachineRecord => {
    const record = records.machines.get(arn);
    if (record === undefined)
      throw new ServiceError('ResourceNotFound', `Resource not found: '${arn}'`, 400, { resourceName: arn });
    return record;
  };

  return {
    CreateStateMachine: async (raw, call) => {
      const input = parseInput('CreateStateMachine', shapes.CreateStateMachine, raw);
      const arn = machineArn(surroundings, input.name);
      authorize(call, { action: 'states:CreateStateMachine', resource: arn });
      assertName(input.name);
      assertStandard(input.type);
      const machine = await assertDefinition(input.definition);
      admitRole(call, input.roleArn);
      const existing = records.machines.get(arn);
      if (existing !== undefined) {
        // Creating again what is there already succeeds; tags do not count.
        if (existing.definition !== input.definition || existing.roleArn !== input.roleArn)
          throw new ServiceError('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
        return { stateMachineArn: arn, creationDate: existing.createdAt };
      }
      const createdAt = new Date(clock.now());
      records.machines.set(arn, {
        arn,
        name: input.name,
        createdAt,
        definition: input.definition,
        machine,
        roleArn: input.roleArn,
        revisionId: randomUUID(),
        loggingConfiguration: input.loggingConfiguration ?? { level: 'OFF', includeExecutionData: false },
        tracingConfiguration: input.tracingConfiguration ?? { enabled: false },
        tags: new Map(input.tags?.map(({ key, value }) => [key, value])),
      });
      return { stateMachineArn: arn, creationDate: createdAt };
    },

    UpdateStateMachine: async (raw, call) => {
      const input = parseInput('UpdateStateMachine', shapes.UpdateStateMachine, raw);
      authorize(call, { action: 'states:UpdateStateMachine', resource: input.stateMachineArn });
      const record = find(input.stateMachineArn);
      const { stateMachineArn: _, ...changes } = input;
      if (Object.values(changes).every((change) => change === undefined))
        throw new ServiceError(
          'MissingRequiredParameter',
          'Either the definition, the role ARN, the LoggingConfiguration, the TracingConfiguration or the EncryptionConfiguration must be specified',
        );
      const machine = input.definition === undefined ? undefined : await assertDefinition(input.definition);
      if (input.roleArn !== undefined) admitRole(call, input.roleArn);
      record.definition = input.definition ?? record.definition;
      record.machine = machine ?? record.machine;
      record.roleArn = input.roleArn ?? record.roleArn;
      record.loggingConfiguration = input.loggingConfiguration ?? record.loggingConfiguration;
      record.tracingConfiguration = input.tracingConfiguration ?? record.tracingConfiguration;
      record.revisionId = randomUUID();
      return { updateDate: new Date(clock.now()), revisionId: record.revisionId };
    },

    DeleteStateMachine: async (raw, call) => {
      const { stateMachineArn } = parseInput('DeleteStateMachine', shapes.DeleteStateMachine, raw);
      authorize(call, { action: 'states:DeleteStateMachine', resource: stateMachineArn });
      assertArn(stateMachineArn, 'stateMachine');
      records.machines.delete(stateMachineArn);
      return {};
    },

    DescribeStateMachine: async (raw, call) => {
      const { stateMachineArn } = parseInput('DescribeStateMachine', shapes.DescribeStateMachine, raw);
      authorize(call, { action: 'states:DescribeStateMachine', resource: stateMachineArn });
      const record = find(stateMachineArn);
      return {
        stateMachineArn: record.arn,
        name: record.name,
        status: 'ACTIVE',
        definition: record.definition,
        roleArn: record.roleArn,
        type: 'STANDARD',
        creationDate: record.createdAt,
        loggingConfiguration: record.loggingConfiguration,
        tracingConfiguration: record.tracingConfiguration,
        revisionId: record.revisionId,
      };
    },

    ListStateMachines: async (raw, call) => {
      const input = parseInput('ListStateMachines', shapes.ListStateMachines, raw);
      authorize(call, { action: 'states:ListStateMachines', resource: '*' });
      const { entries, ...rest } = page([...records.machines.values()], input);
      return {
        stateMachines: entries.map(({ arn, name, createdAt }) => ({
          stateMachineArn: arn,
          name,
          type: 'STANDARD',
          creationDate: createdAt,
        })),
        ...rest,
      };
    },

    TagResource: async (raw, call) => {
      const input = parseInput('TagResource', shapes.TagResource, raw);
      authorize(call, { action: 'states:TagResource', resource: input.resourceArn });
      const record = findTagged(input.resourceArn);
      for (const { key, value } of input.tags) record.tags.set(key, value);
      return {};
    },

    ListTagsForResource: async (raw, call) => {
      const { resourceArn } = parseInput('ListTagsForResource', shapes.ListTagsForResource, raw);
      authorize(call, { action: 'states:ListTagsForResource', resource: resourceArn });
      return { tags: [...findTagged(resourceArn).tags].map(([key, value]) => ({ key, value })) };
    },

    ValidateStateMachineDefinition: async (raw, call) => {
      const input = parseInput('ValidateStateMachineDefinition', shapes.ValidateStateMachineDefinition, raw);
      authorize(call, { action: 'states:ValidateStateMachineDefinition', resource: '*' });
      assertStandard(input.type);
      const all = await checkDefinition(input.definition);
      const diagnostics = all.filter(({ severity }) => severity === 'ERROR' || input.severity === 'WARNING');
      const size = input.maxResults === undefined || input.maxResults === 0 ? 100 : input.maxResults;
      return {
        result: all.some(({ severity }) => severity === 'ERROR') ? 'FAIL' : 'OK',
        diagnostics: diagnostics.slice(0, size),
        truncated: diagnostics.length > size,
      };
    },
  };
}

function assertStandard(type: string | undefined): void {
  if (type !== undefined && type !== 'STANDARD')
    throw new ServiceError(
      'UnsupportedParameter',
      `The embedded cloud does not implement state machines of type ${type}.`,
    );
}
