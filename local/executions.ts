/** Calls an operation of the embedded cloud as its operator. */
type Call = <Answer extends object>(
  service: string,
  operation: string,
  input: Readonly<Record<string, unknown>>,
) => Promise<Answer>;

/** Every event of an execution. */
export async function eventsOf(call: Call, executionArn: string): Promise<readonly object[]> {
  return everyPage(async (page) => {
    const { events, nextToken } = await call<{ events: readonly object[] } & Paged>(
      'sfn',
      'GetExecutionHistory',
      { executionArn, ...page },
    );
    return { entries: events, nextToken };
  });
}

/** The executions that the distributed Maps of an execution have started, and those that these have, by ARN. */
export async function childrenOf(call: Call, executionArn: string): Promise<readonly string[]> {
  const runs = await everyPage(async (page) => {
    const { mapRuns, nextToken } = await call<{ mapRuns: readonly { mapRunArn: string }[] } & Paged>(
      'sfn',
      'ListMapRuns',
      { executionArn, ...page },
    );
    return { entries: mapRuns, nextToken };
  });
  const found: string[] = [];
  for (const { mapRunArn } of runs)
    for (const child of await executionsOf(call, { mapRunArn }))
      found.push(child, ...(await childrenOf(call, child)));
  return found;
}

/** Every execution of every state machine, with the child executions of distributed Maps, by ARN. */
export async function allExecutions(call: Call): Promise<readonly string[]> {
  const machines = await everyPage(async (page) => {
    const { stateMachines, nextToken } = await call<
      { stateMachines: readonly { stateMachineArn: string }[] } & Paged
    >('sfn', 'ListStateMachines', { ...page });
    return { entries: stateMachines, nextToken };
  });
  const found: string[] = [];
  for (const { stateMachineArn } of machines)
    for (const execution of await executionsOf(call, { stateMachineArn }))
      found.push(execution, ...(await childrenOf(call, execution)));
  return found;
}

async function executionsOf(
  call: Call,
  of: { readonly mapRunArn: string } | { readonly stateMachineArn: string },
): Promise<readonly string[]> {
  const all = await everyPage(async (page) => {
    const { executions, nextToken } = await call<{ executions: readonly { executionArn: string }[] } & Paged>(
      'sfn',
      'ListExecutions',
      { ...of, ...page },
    );
    return { entries: executions, nextToken };
  });
  return all.map(({ executionArn }) => executionArn);
}

interface Paged {
  readonly nextToken?: string;
}

/** Puts together what a list operation answers page by page. */
async function everyPage<Entry>(
  read: (page: Readonly<Record<string, unknown>>) => Promise<{
    readonly entries: readonly Entry[];
    readonly nextToken: string | undefined;
  }>,
): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  for (let token = {}; ;) {
    const { entries, nextToken } = await read({ maxResults: 1000, ...token });
    all.push(...entries);
    if (nextToken === undefined) return all;
    token = { nextToken };
  }
}
