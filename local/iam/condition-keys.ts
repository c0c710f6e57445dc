/**
 * Condition keys that the embedded cloud fills wherever AWS does, lower-case; a `*` at the end stands for any tag key.
 *
 * A key of this list that a request lacks is absent, as on AWS. A key that is not listed is one that nobody fills, and
 * a statement that depends on it cannot be judged: the evaluator denies and says which key it was.
 */
const filled: readonly string[] = [
  'aws:calledvia',
  'aws:currenttime',
  'aws:epochtime',
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalisawsservice',
  'aws:principalservicename',
  // The first is that of the caller’s account, where it has one; the others are absent for every caller.
  'aws:principalorgid',
  'aws:principalorgpaths',
  'aws:sourceorgid',
  'aws:principaltag/*',
  'aws:principaltype',
  'aws:requestedregion',
  'aws:requesttag/*',
  'aws:resourceaccount',
  'aws:resourcetag/*',
  'aws:securetransport',
  'aws:sourceaccount',
  'aws:sourcearn',
  // The embedded cloud has no VPC endpoints: absent, as for a call over the internet.
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:tagkeys',
  'aws:username',
  'aws:viaawsservice',
  'events:detail-type',
  'events:source',
  'iam:passedtoservice',
  'kms:calleraccount',
  'kms:grantisforawsresource',
  'kms:viaservice',
  'secretsmanager:blockpublicpolicy',
  'secretsmanager:description',
  'secretsmanager:forcedeletewithoutrecovery',
  'secretsmanager:kmskeyid',
  'secretsmanager:name',
  'secretsmanager:recoverywindowindays',
  'secretsmanager:resource/allowrotationlambdaarn',
  'secretsmanager:resourcetag/*',
  'secretsmanager:rotateimmediately',
  'secretsmanager:rotationlambdaarn',
  'secretsmanager:secretid',
  'secretsmanager:versionid',
  'secretsmanager:versionstage',
  'sns:endpoint',
  'sns:protocol',
  'ssm:resourcetag/*',
  'sts:externalid',
  'sts:rolesessionname',
  'ssm:recursive',
  'ssm:overwrite',
];

const exact = new Set(filled.filter((key) => !key.endsWith('*')));
const families = filled.filter((key) => key.endsWith('*')).map((key) => key.slice(0, -1));

/** Whether somebody fills this condition key when AWS would; the name's case does not matter. */
export function isKnownConditionKey(key: string): boolean {
  const lower = key.toLowerCase();
  return exact.has(lower) || families.some((family) => lower.startsWith(family));
}
