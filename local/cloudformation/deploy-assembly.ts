import { readAssembly } from './assembly';
import { deployStack, type DeployedStack, type DeploymentPorts } from './deploy-stack';

/** A deployed cloud assembly: its stacks by name. */
export interface Deployment {
  readonly stacks: ReadonlyMap<string, DeployedStack>;
}

/** Deploys a synthesised `cdk.out` folder: publishes its assets, then its stacks, each after those it needs. */
export async function deployAssembly(
  directory: string,
  ports: DeploymentPorts,
  parameters: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<Deployment> {
  const assembly = readAssembly(directory, ports.surroundings);
  for (const { bucket, key, path } of assembly.assets) ports.assets.add(bucket, key, path);
  const stacks = new Map<string, DeployedStack>();
  const exports = new Map<string, unknown>();
  for (const stack of assembly.stacks) {
    const given = { ...stack.parameters, ...parameters[stack.name] };
    stacks.set(stack.name, await deployStack(ports, { ...stack, parameters: given }, exports));
  }
  return { stacks };
}
