import { type Duration, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { secretNameOf } from '../domain/names';
import { rotatorNames } from '../rotators/registry';
import type { SecretLike } from './secret-policies';

/**
 * Whoever runs an app without types sees nothing of a wrong property before CloudFormation does, and of a wrong name not
 * before an application was forgotten. So what can be known at synthesis is checked there.
 */
function refuse(scope: Construct, what: string): never {
  throw new Error(`${scope.node.path}: ${what}`);
}

/** The name of a secret in letters, and the same that its ARN says, where that is one. */
export function checkSecretName(scope: Construct, secretName: string, secretArn?: string): void {
  if (Token.isUnresolved(secretName))
    refuse(scope, 'secretName must be the name in letters, not a reference');
  if (secretName.startsWith('arn:'))
    refuse(
      scope,
      `secretName must be the secret's name and not its ARN: ${JSON.stringify(secretNameOf(secretName))}`,
    );
  // AWS: Secrets Manager, CreateSecret, "Name".
  if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(secretName))
    refuse(
      scope,
      `secretName ${JSON.stringify(secretName)} cannot be a secret's name, which has 1 to 512 letters, digits and /_+=.@-`,
    );
  if (secretArn === undefined || Token.isUnresolved(secretArn)) return;
  const named = secretArn.split(':').slice(6).join(':');
  // An ARN may come without the six characters at its end.
  if (named !== secretName && secretNameOf(secretArn) !== secretName)
    refuse(scope, `secretName is ${secretName}, but the secret is ${secretArn}: they must name the same one`);
}

/** The name by which an application is enrolled and answers. */
export function checkConsumer(scope: Construct, consumer: string): void {
  if (!/^[\w.@/+=-]{1,128}$/.test(consumer))
    refuse(
      scope,
      `consumer ${JSON.stringify(consumer)} cannot be an application's name, which has 1 to 128 letters, digits and _.@/+=-`,
    );
}

/** Names that the registry has. */
export function checkRotators(scope: Construct, names: readonly string[]): void {
  for (const name of names)
    if (!(rotatorNames as readonly string[]).includes(name))
      refuse(scope, `there is no rotator ${name}; there are ${rotatorNames.join(', ')}`);
}

/** The admin is somebody else: a credential that changed itself would be lost with the first failure. */
export function checkAdmin(scope: Construct, secret: SecretLike, admin: SecretLike | undefined): void {
  if (admin?.secretArn === secret.secretArn)
    refuse(scope, 'AdminIsTheSecret: the admin must be another secret than the one that is rotated');
}

/** A page that alerts can link to. */
export function checkRunbookUrl(scope: Construct, url: string): void {
  if (Token.isUnresolved(url)) return;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    refuse(
      scope,
      `runbookUrl ${JSON.stringify(url)} must be the URL of a page, such as your copy of docs/errors.md`,
    );
}

/** A schedule that Secrets Manager takes (AWS: Secrets Manager, "Rotation schedules"). */
export function checkSchedule(
  scope: Construct,
  schedule: { readonly expression: string; readonly duration?: Duration } | undefined,
): void {
  if (schedule === undefined)
    refuse(scope, "schedule is missing: { expression: 'rate(30 days)' }, for example");
  const { expression, duration } = schedule;
  if (!Token.isUnresolved(expression) && !isSchedule(expression))
    refuse(
      scope,
      `schedule ${JSON.stringify(expression)} is neither rate(4 to 23976 hours), nor rate(1 to 999 days), nor ` +
        'cron(0 hours day-of-month month day-of-week year), at minute 0',
    );
  const hours = duration?.toMinutes({ integral: false });
  if (hours !== undefined && (hours % 60 !== 0 || hours < 60 || hours > 24 * 60))
    refuse(scope, 'the duration of a schedule must be 1 to 24 whole hours: Duration.hours(4), for example');
}

function isSchedule(expression: string): boolean {
  const [, value, unit] = /^rate\((\d+) (hour|day)s?\)$/.exec(expression) ?? [];
  if (value !== undefined) {
    const hours = Number(value) * (unit === 'day' ? 24 : 1);
    return hours >= 4 && hours <= 999 * 24;
  }
  return /^cron\(0(?: [0-9A-Za-z*?,/#-]+){5}\)$/.test(expression);
}
