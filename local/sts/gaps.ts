/** What the embedded STS does otherwise than AWS, for docs/aws-fidelity.md. */
export const stsGaps: readonly string[] = [
  'GetCallerIdentity and AssumeRole only; session policies, session tags, MFA and source identity are refused.',
  'Chained roles may ask for more than one hour, and a role has no maximum session duration of its own: 12 hours is the limit of all.',
  'A role of another account cannot be assumed; AWS allows it where both sides do.',
  'The ids in front of a session’s name (AROA…) are made from the role’s ARN, so a role that is made anew keeps its id.',
];
