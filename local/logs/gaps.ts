/** What the embedded CloudWatch Logs does otherwise than AWS, for docs/aws-fidelity.md. */
export const logsGaps: readonly string[] = [
  'Log groups, streams and lines only: no metric filters, subscriptions, Insights queries, exports, resource policies or data protection.',
  'FilterLogEvents knows unstructured terms; patterns for JSON, columns and regular expressions are refused.',
  'Lines are readable at once, of any age and size, and storedBytes is 0. Tags and the key of a group are kept without effect.',
  'A service that writes logs makes the group where it is missing, as Lambda does with a role that may.',
];
