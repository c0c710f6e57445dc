import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { ServiceError, type Call, type Operation, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { pageOf } from '../secrets-manager/pages';
import { describeCommand, describeInvocation, type Command, type Target } from './command';
import { execute, type Resolved } from './command-execution';
import { commandFilter, invocationPasses, passes } from './command-filters';
import { authorizeDocument, authorizeNode, matchingNodes, namedIds } from './command-targets';
import type { CommandDocument, Fleet, ManagedNode } from './fleet';

/** After so long a command stands in lists; AWS says that Run Command is eventually consistent, and gives no figure. */
const visibleAfterMs = 300;
/** AWS keeps the history of commands for 30 days. */
const keptForMs = 30 * 86_400_000;
/** AWS's defaults, in seconds: of TimeoutSeconds, and of a document's executionTimeout. */
const defaultTimeoutSeconds = 3600;
const defaultExecutionTimeoutSeconds = 3600;

const instanceId = z.string().regex(/^(?:i-(?:\w{8}|\w{17})|mi-\w{17})$/u);
const sendShape = z.object({
  DocumentName: z.string().regex(/^[A-Za-z0-9_\-.:/]{3,128}$/u),
  InstanceIds: z.array(instanceId).min(1).max(50).optional(),
  Targets: z
    .array(z.strictObject({ Key: z.string().min(1).max(163), Values: z.array(z.string()).min(1).max(50) }))
    .max(5)
    .optional(),
  Parameters: z.record(z.string(), z.array(z.string())).optional(),
  Comment: z.string().max(100).optional(),
  TimeoutSeconds: z.int().min(30).max(2_592_000).optional(),
  MaxConcurrency: z
    .string()
    .max(7)
    .regex(/^(?:[1-9]\d*|[1-9]\d?%|100%)$/u)
    .optional(),
  MaxErrors: z
    .string()
    .max(7)
    .regex(/^(?:[1-9]\d*|0|[1-9]\d%|\d%|100%)$/u)
    .optional(),
});
const listShape = z.object({
  CommandId: z.string().length(36).optional(),
  Filters: z.array(commandFilter).min(1).max(5).optional(),
  MaxResults: z.int().min(1).max(50).optional(),
  NextToken: z.string().optional(),
});

/** The operations of Run Command: commands to the nodes of a fleet, which go on after SendCommand was answered until `end` is aborted. */
export function runCommandOperations(
  surroundings: Surroundings,
  fleet: Fleet,
  end: AbortSignal,
): Readonly<Record<string, Operation>> {
  const { account, authorize, clock, partition, region } = surroundings;
  const commands: Command[] = [];
  const listed = (commandId: string | undefined) => {
    const now = clock.now();
    return commands
      .filter(({ requestedAt }) => requestedAt + visibleAfterMs <= now && requestedAt + keptForMs > now)
      .filter((command) => commandId === undefined || command.commandId === commandId)
      .reverse();
  };
  const allowLists = (call: Call, action: string) =>
    authorize(call, { action: `ssm:${action}`, resource: `arn:${partition}:ssm:${region}:${account}:*` });

  return {
    async SendCommand(input, call) {
      const request = parseInput('SendCommand', sendShape, input);
      const { DocumentName: documentName, Parameters: parameters = {} } = request;
      const document = fleet.document(documentName);
      authorizeDocument(surroundings, call, document ?? { name: documentName, owner: 'self' });
      const ids = namedIds(request.InstanceIds, request.Targets);
      if (document === undefined)
        throw new ServiceError('InvalidDocument', `Document with name ${documentName} does not exist.`);
      assertParameters(document, parameters);
      const named = ids === undefined ? undefined : nodesByIds(ids, document, call);
      const command = record(request, parameters);
      commands.push(command);
      const resolve = () =>
        named?.map((node) => ({ node })) ??
        matchingNodes(fleet, command.targets).map((node) => judged(node, document, call));
      execute(command, resolve, { clock, fleet, end });
      return { Command: describeCommand(command) };
    },

    async ListCommands(input, call) {
      const {
        CommandId,
        Filters = [],
        MaxResults = 50,
        NextToken,
      } = parseInput('ListCommands', listShape, input);
      allowLists(call, 'ListCommands');
      const found = listed(CommandId).filter((command) => passes(command, Filters));
      const page = pageOf(found, MaxResults, NextToken, 'InvalidNextToken');
      return {
        Commands: page.items.map(describeCommand),
        ...(page.next === undefined ? {} : { NextToken: page.next }),
      };
    },

    async ListCommandInvocations(input, call) {
      const request = parseInput('ListCommandInvocations', listShape, input);
      allowLists(call, 'ListCommandInvocations');
      const found = listed(request.CommandId).flatMap((command) =>
        command.invocations
          .filter((invocation) => invocationPasses(command, invocation, request.Filters ?? []))
          .map((invocation) => describeInvocation(command, invocation)),
      );
      const page = pageOf(found, request.MaxResults ?? 50, request.NextToken, 'InvalidNextToken');
      return {
        CommandInvocations: page.items,
        ...(page.next === undefined ? {} : { NextToken: page.next }),
      };
    },
  };

  function nodesByIds(ids: readonly string[], document: CommandDocument, call: Call): readonly ManagedNode[] {
    if (new Set(ids).size !== ids.length) throw new ServiceError('DuplicateInstanceId', '');
    for (const id of ids) authorizeNode(surroundings, call, fleet.node(id) ?? { instanceId: id, tags: {} });
    const nodes = ids.flatMap((id) => fleet.node(id) ?? []);
    if (nodes.length < ids.length)
      throw new ServiceError(
        'InvalidInstanceId',
        `Instances [[${ids.filter((id) => fleet.node(id) === undefined).join(', ')}]] not in a valid state for account ${account}`,
      );
    if (nodes.some(({ platform }) => !document.platforms.includes(platform)))
      throw new ServiceError('UnsupportedPlatformType', '');
    return nodes;
  }

  /** A node that tags have found: what stands in its way stands in its invocation, not in the answer. */
  function judged(node: ManagedNode, document: CommandDocument, call: Call): Resolved {
    try {
      authorizeNode(surroundings, call, node);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return { node, refused: 'AccessDenied' };
    }
    return document.platforms.includes(node.platform) ? { node } : { node, refused: 'InvalidPlatform' };
  }

  function record(request: z.infer<typeof sendShape>, parameters: Command['parameters']): Command {
    const { TimeoutSeconds = defaultTimeoutSeconds } = request;
    const executionTimeoutSeconds = Number(
      parameters['executionTimeout']?.[0] ?? defaultExecutionTimeoutSeconds,
    );
    const targets: readonly Target[] = request.Targets ?? [];
    return {
      commandId: randomUUID(),
      documentName: request.DocumentName,
      comment: request.Comment ?? '',
      parameters,
      instanceIds: request.InstanceIds ?? [],
      targets,
      maxConcurrency: request.MaxConcurrency ?? '50',
      maxErrors: request.MaxErrors ?? '0',
      timeoutSeconds: TimeoutSeconds,
      executionTimeoutSeconds,
      requestedAt: clock.now(),
      expiresAt: clock.now() + (TimeoutSeconds + executionTimeoutSeconds) * 1_000,
      invocations: [],
      details: 'Pending',
    };
  }
}

function assertParameters(document: CommandDocument, given: Command['parameters']): void {
  const missing = Object.entries(document.parameters).find(
    ([name, need]) => need === 'required' && given[name] === undefined,
  )?.[0];
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(document.parameters, name));
  if (missing !== undefined || unknown !== undefined)
    throw new ServiceError(
      'InvalidParameters',
      `The parameter ${missing ?? unknown ?? ''} is ${missing === undefined ? 'not defined by' : 'required by'} the document ${document.name}.`,
    );
  const timeout = given['executionTimeout']?.[0];
  if (timeout !== undefined && !/^[1-9]\d{0,5}$/u.test(timeout))
    throw new ServiceError('InvalidParameters', 'executionTimeout is a number of seconds.');
}
