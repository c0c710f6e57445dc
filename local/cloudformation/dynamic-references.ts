import { TemplateFault } from './deployment-failed';
import { textOf, type ResourceContext } from './resource-handler';

const pattern = /\{\{resolve:([^}]*)\}\}/g;

/**
 * Replaces `{{resolve:secretsmanager:…}}` and `{{resolve:ssm:…}}` in every text of a value by what they name now.
 *
 * `ssm-secure` is refused: CloudFormation takes it for properties only that are not deployed here.
 */
export async function resolveDynamic(value: unknown, call: ResourceContext['call']): Promise<unknown> {
  if (typeof value === 'string') return resolveText(value, call);
  if (Array.isArray(value)) return Promise.all(value.map((element) => resolveDynamic(element, call)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    async ([key, inner]: [string, unknown]) => [key, await resolveDynamic(inner, call)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

async function resolveText(value: string, call: ResourceContext['call']): Promise<string> {
  let resolved = '';
  let end = 0;
  for (const match of value.matchAll(pattern)) {
    resolved += value.slice(end, match.index) + (await lookUp(match[1] ?? '', call));
    end = match.index + match[0].length;
  }
  return resolved + value.slice(end);
}

async function lookUp(reference: string, call: ResourceContext['call']): Promise<string> {
  const service = reference.slice(0, reference.indexOf(':'));
  const rest = reference.slice(service.length + 1);
  if (service === 'ssm') {
    const answer = await call('ssm', 'GetParameter', { Name: rest });
    const parameter = answer['Parameter'];
    return textOf(typeof parameter === 'object' && parameter !== null ? { ...parameter } : {}, 'Value');
  }
  if (service === 'secretsmanager') return secretText(rest, call);
  throw new TemplateFault('UnsupportedFunction', `the embedded cloud does not resolve ${service} references`);
}

/** The parts are id, SecretString, JSON key, label and version id; an id that is an ARN holds colons itself. */
async function secretText(reference: string, call: ResourceContext['call']): Promise<string> {
  const idLength = reference.startsWith('arn:') ? 7 : 1;
  const parts = reference.split(':');
  const secretId = parts.slice(0, idLength).join(':');
  const [kind = 'SecretString', key = '', stage = '', versionId = ''] = parts.slice(idLength);
  if (kind !== 'SecretString' && kind !== '')
    throw new TemplateFault(
      'UnsupportedFunction',
      `secretsmanager references give SecretString, not ${kind}`,
    );
  const answer = await call('secretsmanager', 'GetSecretValue', {
    SecretId: secretId,
    ...(stage === '' ? {} : { VersionStage: stage }),
    ...(versionId === '' ? {} : { VersionId: versionId }),
  });
  const whole = textOf(answer, 'SecretString');
  if (key === '') return whole;
  return memberOf(whole, key, secretId);
}

/** Never quotes the secret, whatever is wrong with it. */
function memberOf(secret: string, key: string, secretId: string): string {
  let members: unknown;
  try {
    members = JSON.parse(secret);
  } catch {
    members = undefined;
  }
  const value =
    typeof members === 'object' && members !== null ? (members as Record<string, unknown>)[key] : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateFault('TemplateInvalid', `the secret ${secretId} has no text under ${key}`);
}
