import { ServiceError } from '../kernel/service';

/** AWS's limit of levels in a parameter's path. */
const maxLevels = 15;

/** Refuses a parameter name that Parameter Store would refuse, in its words. */
export function assertParameterName(name: string): void {
  if (name.includes('/') && !name.startsWith('/'))
    throw new ServiceError('ValidationException', 'Parameter name must be a fully qualified name.');
  if (/^\/?(?:aws|ssm)/iu.test(name) || !/^(?:[A-Za-z0-9_.-]+|(?:\/[A-Za-z0-9_.-]+)+)$/u.test(name))
    throw new ServiceError(
      'ValidationException',
      'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_',
    );
  if (name.split('/').length - 1 > maxLevels)
    throw new ServiceError(
      'HierarchyLevelLimitExceededException',
      `Hierarchy depth exceeded: a parameter name can have ${maxLevels} levels at most.`,
    );
}

/** Refuses a path that GetParametersByPath would refuse. */
export function assertParameterPath(path: string): void {
  if (/^\/(?:(?!aws|ssm)[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*\/?)?$/iu.test(path)) return;
  throw new ServiceError(
    'ValidationException',
    'The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.',
  );
}

/** A parameter as a request names it: by name or ARN, perhaps with `:version` behind it. */
export interface ParameterReference {
  readonly name: string;
  readonly version: number | undefined;
  /** The text behind the name, as answers repeat it. */
  readonly selector: string | undefined;
}

/** Takes a request's Name apart; labels as selectors are not implemented and find nothing. */
export function parseReference(text: string): ParameterReference {
  const afterArn = /^arn:[^:]+:ssm:[^:]*:[^:]*:parameter(\/.+)$/u.exec(text)?.[1] ?? text;
  const [name = '', selector] = afterArn.split(':');
  return {
    name,
    version: selector === undefined ? undefined : Number(selector),
    selector: selector === undefined ? undefined : `:${selector}`,
  };
}
