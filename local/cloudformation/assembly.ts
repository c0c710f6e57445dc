import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import * as z from 'zod';

const stackProperties = z.object({
  templateFile: z.string(),
  stackName: z.string().optional(),
  parameters: z.record(z.string(), z.string()).optional(),
});
const fileProperties = z.object({ file: z.string() });
const nestedProperties = z.object({ directoryName: z.string() });
const manifest = z.object({
  artifacts: z
    .record(
      z.string(),
      z.object({
        type: z.string(),
        dependencies: z.array(z.string()).optional(),
        properties: z.unknown(),
      }),
    )
    .optional(),
});
const assetManifest = z.object({
  files: z
    .record(
      z.string(),
      z.object({
        source: z.object({ path: z.string().optional(), packaging: z.string().optional() }),
        destinations: z.record(z.string(), z.object({ bucketName: z.string(), objectKey: z.string() })),
      }),
    )
    .optional(),
  dockerImages: z.record(z.string(), z.unknown()).optional(),
});

/** One stack of a cloud assembly. */
export interface AssemblyStack {
  readonly name: string;
  readonly template: unknown;
  readonly parameters: Readonly<Record<string, string>>;
}

/** One file or folder that a cloud assembly publishes. */
export interface AssemblyAsset {
  readonly bucket: string;
  readonly key: string;
  readonly path: string;
}

/** What lies in a `cdk.out` folder: its stacks, each after those it depends on, and its assets. */
export interface Assembly {
  readonly stacks: readonly AssemblyStack[];
  readonly assets: readonly AssemblyAsset[];
}

/** Reads a synthesised cloud assembly, stages included; `place` fills the placeholders in asset destinations. */
export function readAssembly(
  directory: string,
  place: { readonly account: string; readonly region: string; readonly partition: string },
): Assembly {
  const artifacts = manifest.parse(readJson(join(directory, 'manifest.json'))).artifacts ?? {};
  const stacks: AssemblyStack[] = [];
  const assets: AssemblyAsset[] = [];
  for (const id of dependencyOrder(artifacts)) {
    const { type, properties } = artifacts[id] ?? { type: '', properties: undefined };
    if (type === 'aws:cloudformation:stack') {
      const stack = stackProperties.parse(properties);
      stacks.push({
        name: stack.stackName ?? id,
        template: readJson(join(directory, stack.templateFile)),
        parameters: stack.parameters ?? {},
      });
    } else if (type === 'cdk:asset-manifest') {
      assets.push(...readAssets(directory, fileProperties.parse(properties).file, place));
    } else if (type === 'cdk:cloud-assembly') {
      const nested = readAssembly(join(directory, nestedProperties.parse(properties).directoryName), place);
      stacks.push(...nested.stacks);
      assets.push(...nested.assets);
    }
  }
  return { stacks, assets };
}

function readAssets(
  directory: string,
  file: string,
  place: { readonly account: string; readonly region: string; readonly partition: string },
): readonly AssemblyAsset[] {
  const { files = {}, dockerImages = {} } = assetManifest.parse(readJson(join(directory, file)));
  const [image] = Object.keys(dockerImages);
  if (image !== undefined)
    throw new Error(`the embedded cloud has no container images, and ${file} has ${image}`);
  const fill = (text: string) =>
    text
      .replaceAll('${AWS::AccountId}', place.account)
      .replaceAll('${AWS::Region}', place.region)
      .replaceAll('${AWS::Partition}', place.partition);
  return Object.values(files).flatMap(({ source, destinations }) => {
    const { path } = source;
    if (path === undefined) throw new Error(`an asset of ${file} has no path`);
    return Object.values(destinations).map(({ bucketName, objectKey }) => ({
      bucket: fill(bucketName),
      key: fill(objectKey),
      path: isAbsolute(path) ? path : join(directory, path),
    }));
  });
}

function dependencyOrder(
  artifacts: Readonly<Record<string, { readonly dependencies?: readonly string[] | undefined }>>,
): readonly string[] {
  const ordered = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    if (path.includes(id))
      throw new Error(`stacks depend on each other in a circle: ${[...path, id].join(' → ')}`);
    for (const needed of artifacts[id]?.dependencies ?? [])
      if (!ordered.has(needed)) visit(needed, [...path, id]);
    ordered.add(id);
  };
  for (const id of Object.keys(artifacts)) visit(id, []);
  return [...ordered].filter((id) => artifacts[id] !== undefined);
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
