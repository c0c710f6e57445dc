/** What the embedded Parameter Store does otherwise than AWS, for docs/aws-fidelity.md. */
export const ssmGaps: readonly string[] = [
  'Parameters of type String in the standard tier only: SecureString, StringList, AllowedPattern, policies, other tiers and other data types are refused.',
  'ParameterFilters, labels of versions, parameters shared by other accounts, GetParameterHistory, DeleteParameters and the tag operations are refused; tags can be given at creation.',
  'Every version is kept; AWS keeps 100. Rate limits are not enforced.',
  'No event of a changed parameter is sent to EventBridge.',
  'The rest of Systems Manager is not offered.',
];
