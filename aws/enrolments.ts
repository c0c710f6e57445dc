import { paginateGetParametersByPath, SSMClient } from '@aws-sdk/client-ssm';
import { PolicyInvalid } from '../domain/errors';
import { nameOfLevel, parameterLevel, secretParameters } from '../domain/names';

/** What Parameter Store holds about one secret, as text. */
export interface EnrolmentTexts {
  readonly policy: string | undefined;
  readonly consumers: Readonly<Record<string, string>>;
}

/** Reads everything that is enrolled for one secret. PolicyInvalid where a consumer's parameter is named wrongly. */
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
      const consumers = new Map<string, string>();
      const pages = paginateGetParametersByPath(
        { client },
        { Path: path, Recursive: true, WithDecryption: false },
      );
      for await (const page of pages)
        for (const { Name: parameter = '', Value: value = '' } of page.Parameters ?? []) {
          const rest = parameter.slice(path.length + 1);
          if (rest === 'policy') policy = value;
          else if (rest.startsWith('consumers/')) consumers.set(consumerOf(parameter), value);
        }
      return { policy, consumers: Object.fromEntries(consumers) };
    },
  };
}

function consumerOf(parameter: string): string {
  const level = parameter.split('/').at(-1) ?? '';
  const consumer = nameOfLevel(level);
  if (consumer === undefined)
    throw new PolicyInvalid(`parameter ${parameter}: consumer ${level} is written ${parameterLevel(level)}`);
  return consumer;
}
