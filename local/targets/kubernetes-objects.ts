import { isDeepStrictEqual } from 'node:util';

/** Any value of JSON's. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** An object of JSON's. */
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** One object of a cluster. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: JsonObject;
  readonly status: JsonObject;
}

/** What an object is made of. */
export interface NewObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly spec: JsonObject;
}

/** Another version of the object than the patch was made for. */
export class ObjectChanged extends Error {
  override readonly name = 'ObjectChanged';
}

/** A patch that leads to no valid object. */
export class PatchInvalid extends Error {
  override readonly name = 'PatchInvalid';
}

/**
 * Keeps the objects of one namespace, with the rules of the Kubernetes API conventions: every change makes a new
 * resourceVersion, a change of the specification a new generation, and a change to the same makes neither.
 */
export class ObjectStore {
  private readonly objects = new Map<string, KubernetesObject>();
  private version = 100;

  constructor(readonly namespace: string) {}

  create({ apiVersion, kind, name, spec }: NewObject): KubernetesObject {
    const object: KubernetesObject = {
      apiVersion,
      kind,
      metadata: {
        name,
        namespace: this.namespace,
        generation: 1,
        resourceVersion: this.next(),
        annotations: {},
      },
      spec,
      status: {},
    };
    this.objects.set(keyOf(kind, name), object);
    return object;
  }

  find(kind: string, name: string): KubernetesObject | undefined {
    return this.objects.get(keyOf(kind, name));
  }

  all(): readonly KubernetesObject[] {
    return [...this.objects.values()];
  }

  /** Applies a merge patch, RFC 7386, to metadata and specification. The status has a subresource of its own. */
  patch(object: KubernetesObject, patch: JsonObject): KubernetesObject {
    const wanted = isObject(patch['metadata']) ? patch['metadata']['resourceVersion'] : undefined;
    if (wanted !== undefined && wanted !== object.metadata.resourceVersion) throw new ObjectChanged();
    const { annotations } = object.metadata;
    const metadata = merge({ annotations }, { annotations: annotationsIn(patch) });
    const spec = merge(object.spec, isObject(patch['spec']) ? patch['spec'] : {});
    return this.replace(object, annotationsIn({ metadata }), spec, object.status);
  }

  /** What a controller writes: the status alone, which leaves the generation as it is. */
  setStatus({ kind, metadata }: KubernetesObject, status: JsonObject): void {
    const object = this.find(kind, metadata.name);
    if (object !== undefined) this.replace(object, object.metadata.annotations, object.spec, status);
  }

  private replace(
    object: KubernetesObject,
    annotations: JsonObject,
    spec: JsonObject,
    status: JsonObject,
  ): KubernetesObject {
    const isSameSpec = isDeepStrictEqual(spec, object.spec);
    const isSame = isSameSpec && isDeepStrictEqual(annotations, object.metadata.annotations);
    if (isSame && isDeepStrictEqual(status, object.status)) return object;
    const replaced: KubernetesObject = {
      ...object,
      metadata: {
        ...object.metadata,
        annotations: texts(annotations),
        generation: object.metadata.generation + (isSameSpec ? 0 : 1),
        resourceVersion: this.next(),
      },
      spec,
      status,
    };
    this.objects.set(keyOf(object.kind, object.metadata.name), replaced);
    return replaced;
  }

  private next(): string {
    this.version += 1;
    return String(this.version);
  }
}

/** Whether a value is an object of JSON's, and no list. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object's member that is an object; an empty one where it is not. */
export function objectIn(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isObject(value) ? value : {};
}

/** An object's member that is a number; `otherwise` where it is not. */
export function numberIn(object: JsonObject, name: string, otherwise: number): number {
  const value = object[name];
  return typeof value === 'number' ? value : otherwise;
}

function annotationsIn(patch: JsonObject): JsonObject {
  return objectIn(objectIn(patch, 'metadata'), 'annotations');
}

function merge(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    const before = merged[name];
    if (value === null) delete merged[name];
    else merged[name] = isObject(value) ? merge(isObject(before) ? before : {}, value) : value;
  }
  return merged;
}

function texts(annotations: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => {
      if (typeof value !== 'string') throw new PatchInvalid(`annotation ${name} is no text`);
      return [name, value];
    }),
  );
}

function keyOf(kind: string, name: string): string {
  return `${kind}/${name}`;
}
