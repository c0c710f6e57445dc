import { startCloud, type Cloud, type CloudOptions } from '../cloud';

/** The cloud that a target lives in, and what to call when the target ends. */
export interface CloudOfTarget {
  readonly cloud: Cloud;
  readonly release: () => Promise<void>;
}

/**
 * The given cloud, or one of its own, to which this process's AWS clients then go as the operator; `release` ends that
 * one and restores the environment.
 */
export async function cloudFor(given?: Cloud, options: CloudOptions = {}): Promise<CloudOfTarget> {
  if (given !== undefined) return { cloud: given, release: () => Promise.resolve() };
  const cloud = await startCloud(options);
  const { accessKeyId, secretAccessKey } = cloud.operator;
  const restore = setEnvironment({
    AWS_ENDPOINT_URL: cloud.endpoint,
    AWS_REGION: cloud.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: undefined,
  });
  return {
    cloud,
    release: async () => {
      restore();
      await cloud.stop();
    },
  };
}

/** Sets variables of this process, undefined removing one; what it returns puts back what was there. */
function setEnvironment(variables: Readonly<Record<string, string | undefined>>): () => void {
  const put = (values: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(values))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  };
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  put(variables);
  return () => put(before);
}
