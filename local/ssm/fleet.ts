/** What reaches a managed node with a command. */
export interface NodeWork {
  readonly commandId: string;
  readonly documentName: string;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
}

export type Platform = 'Linux' | 'Windows' | 'MacOS';

/** Whether a node's agent takes commands: it answers, it does not answer yet, or Systems Manager has given it up. */
export type Agent = 'online' | 'silent' | 'lost';

/** An EC2 instance (`i-…`) or a hybrid node (`mi-…`) with Systems Manager's agent. */
export interface ManagedNode {
  readonly instanceId: string;
  readonly platform: Platform;
  readonly tags: Readonly<Record<string, string>>;
  readonly agent: Agent;
  /** Does what a command asks, and answers its exit code; an error counts as 1. There is no output. */
  readonly run: (work: NodeWork) => number | Promise<number>;
}

/** A Command document: what may be given to it, and where it runs. */
export interface CommandDocument {
  readonly name: string;
  readonly platforms: readonly Platform[];
  /** Its parameters by name, and whether each must be given. */
  readonly parameters: Readonly<Record<string, 'required' | 'optional'>>;
  /** Whose it is: AWS's own documents have no account in their ARN. */
  readonly owner: 'aws' | 'self';
}

const scriptParameters = {
  commands: 'required',
  workingDirectory: 'optional',
  executionTimeout: 'optional',
} as const;

const ofAws: readonly CommandDocument[] = [
  { name: 'AWS-RunShellScript', platforms: ['Linux', 'MacOS'], parameters: scriptParameters, owner: 'aws' },
  {
    name: 'AWS-RunPowerShellScript',
    platforms: ['Windows', 'Linux', 'MacOS'],
    parameters: scriptParameters,
    owner: 'aws',
  },
];

/** The managed nodes of the account and the documents that can be run on them; both are put here, not made by calls. */
export class Fleet {
  private readonly nodes = new Map<string, ManagedNode>();
  private readonly documents = new Map(ofAws.map((document) => [document.name, document]));

  /** Registers a node, or replaces the one of that id. */
  put(node: Partial<ManagedNode> & Pick<ManagedNode, 'instanceId'>): void {
    const before = this.nodes.get(node.instanceId);
    const fresh = { platform: 'Linux', tags: {}, agent: 'online', run: () => 0 } as const;
    this.nodes.set(node.instanceId, { ...fresh, ...before, ...node });
  }

  /** Takes a node away, as when its instance is terminated. */
  remove(instanceId: string): void {
    this.nodes.delete(instanceId);
  }

  putDocument(document: Omit<CommandDocument, 'owner'>): void {
    this.documents.set(document.name, { ...document, owner: 'self' });
  }

  node(instanceId: string): ManagedNode | undefined {
    return this.nodes.get(instanceId);
  }

  get all(): readonly ManagedNode[] {
    return [...this.nodes.values()];
  }

  document(name: string): CommandDocument | undefined {
    return this.documents.get(name);
  }
}
