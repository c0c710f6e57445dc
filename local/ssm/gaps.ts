/** What the embedded Parameter Store does otherwise than AWS, for docs/aws-fidelity.md. */
export const ssmGaps: readonly string[] = [
  'Parameters of type String in the standard tier only: SecureString, StringList, AllowedPattern, policies, other tiers and other data types are refused.',
  'ParameterFilters, labels of versions, parameters shared by other accounts, GetParameterHistory, DeleteParameters and the tag operations are refused; tags can be given at creation.',
  'Every version is kept; AWS keeps 100. Rate limits are not enforced.',
  'No event of a changed parameter is sent to EventBridge.',
  'A written parameter is read at once, by name and by path; AWS promises no such thing.',
  'Documents of type ChangeCalendar only, of which there is one version, that can be used at once and is not shared; another DocumentType, UpdateDocument, tags and attachments are refused.',
  'Events of a change calendar have DTSTART and DTEND in UTC. Recurrence, time zones, whole days, durations, advisory events and the events of Systems Manager itself (X-CALENDAR-CMEVENTS) are refused by name when the calendar is created, so UnsupportedCalendarException never comes.',
  'GetCalendarState of several calendars answers the time at which their common state changes, and none where it never does; AWS documents neither. The words of errors about documents are not AWS’s.',
  'Run Command: SendCommand, ListCommands and ListCommandInvocations without Details, so that there is no output of a command; DocumentVersion, hashes, S3, SNS, CloudWatch and alarms are refused. Documents are AWS-RunShellScript, AWS-RunPowerShellScript and those that were put there, nodes too.',
  'Targets are InstanceIds, tag:… and tag-key; resource groups are refused. Nodes are served MaxConcurrency at a time from the beginning, where AWS begins with one. A percentage of the targets is rounded down.',
  'A command is listed after 300 ms, its targets are found after 500 ms and reached after 1 s; AWS gives no figures. An agent that does not answer is tried every 5 s until the command expires.',
  'Where AWS documents StatusDetails alone, the Status beside it is Failed for Incomplete, Undeliverable, InvalidPlatform and AccessDenied, Cancelled for Terminated, and Success for NoInstancesInTag. A limit of errors is passed by one more than MaxErrors; AWS writes both that and `the value or more`.',
  'A node that tags have found and that the caller may not reach is AccessDenied in its invocation, as documented; one that is named is refused at once. An id of no command lists nothing.',
  'The rest of Systems Manager is not offered.',
];
