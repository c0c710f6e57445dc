import { paginateGetParametersByPath, SSMClient } from '@aws-sdk/client-ssm';
import { nameOfLevel, secretParameters } from '../domain/names';

/** What Parameter Store holds about one secret, as text. */
export interface EnrolmentTexts {
  readonly policy: string | undefined;
  readonly consumers: Readonly<Record<string, string>>;
}

/** Reads everything that is enrolled for one secret. */
export interface Enrolments {
  read(secretName: string): Promise<EnrolmentTexts>;
}

/** Makes a client for the enrolments in Parameter Store. */
export function parameterStore(): Enrolments {
  const client = new SSMClient({ maxAttempts: 5 });
  return {
    async read(secretName) {
      const path = secretParameters(secretName);
      let policy: string | undefined;
      const consumers: Record<string, string> = {};
      const pages = paginateGetParametersByPath(
        { client },
        { Path: path, Recursive: true, WithDecryption: false },
      );
      for await (const page of pages)
        for (const { Name: name, Value: value } of page.Parameters ?? []) {
          const rest = (name ?? '').slice(path.length + 1);
          if (rest === 'policy') policy = value;
          else if (rest.startsWith('consumers/'))
            consumers[nameOfLevel(rest.slice('consumers/'.length))] = value ?? '';
        }
      return { policy, consumers };
    },
  };
}
