import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';

/** A task of the workflow, and the function that it invokes, if it invokes one. */
export interface WorkflowTask {
  readonly state: string;
  /** Ending of the function's name, such as `set-secret`. */
  readonly functionName: string | undefined;
}

interface Machine {
  readonly States: Readonly<Record<string, z.infer<typeof stateShape>>>;
}

const stateShape = z.object({
  Type: z.string(),
  Arguments: z.object({ FunctionName: z.string().optional() }).optional(),
  // A large wave says whose states it has; a rehearsal's are small.
  ItemProcessor: z.object({ States: z.record(z.string(), z.unknown()).default({}) }).optional(),
});
const machineShape = z.object({ States: z.record(z.string(), stateShape) });

/** Every task of the workflow, in the order in which its text has them. */
export const workflowTasks: readonly WorkflowTask[] = tasksOf(
  machineShape.parse(
    parse(readFileSync(path.resolve(__dirname, '../../statemachines/rotation.asl.yaml'), 'utf8'), {
      merge: true,
    }),
  ),
);

function tasksOf(machine: Machine): WorkflowTask[] {
  return Object.entries(machine.States).flatMap(
    ([state, { Type: type, Arguments: input, ItemProcessor: inner }]) => {
      if (inner !== undefined) return tasksOf(machineShape.parse(inner));
      if (type !== 'Task') return [];
      return [{ state, functionName: nameOf(input?.FunctionName) }];
    },
  );
}

/** `${SetSecretFunctionArn}` stands for the function `set-secret`. */
function nameOf(substitution: string | undefined): string | undefined {
  const pascal = /^\$\{(\w+)FunctionArn\}$/.exec(substitution ?? '')?.[1];
  return pascal?.replace(/(?!^)([A-Z])/g, '-$1').toLowerCase();
}
