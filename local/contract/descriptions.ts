import { detailTypes } from '../../domain/events';

/** A type of event, as its detail-type says it. */
export type DetailType = (typeof detailTypes)[keyof typeof detailTypes];

/** What each type of event says. */
export const meanings = {
  [detailTypes.started]:
    'A rotation begins. The new version exists under AWSPENDING; nothing has happened at the target yet.',
  [detailTypes.refreshRequested]:
    'Asks one application to load the secret again, since AWSCURRENT has moved, or to verify a version before it moves.',
  [detailTypes.refreshAcknowledged]:
    'An application answers a request that carries a task token: it works with a version, it cannot, or it is still at it.',
  [detailTypes.succeeded]: 'A rotation has ended well.',
  [detailTypes.failed]: 'A rotation has not ended well. It says which version AWSCURRENT names now.',
  [detailTypes.held]: 'A rotation waits for an operator. Both credentials keep working until then.',
  [detailTypes.decided]: 'An operator decides what becomes of a rotation that is held.',
} as const satisfies Readonly<Record<DetailType, string>>;

/**
 * What each member means, by its path in the detail; items of a list stand under the list's own path. A path with a
 * detail type before it is for that type alone and goes before the others.
 *
 * A table and no metadata of the schemas, since those are in the bundle of a function that is loaded in a hurry.
 */
export const descriptions: Readonly<Record<string, string>> = {
  schemaVersion:
    'Version of this contract. New members may appear within a version: ignore those that you do not know.',
  rotationId: 'Name of the execution, the same in all events of one rotation.',
  secret: 'The secret that rotates.',
  'secret.arn': 'Its ARN, complete with the random suffix.',
  'secret.name': 'Its name.',
  versionId: 'The version that the rotation moves to.',
  previousVersionId: 'The version that it moves away from.',
  time: 'When it was said, ISO 8601.',
  rotator: 'The rotator at work, such as postgres-alternating.',
  overlap:
    'Whether old and new credential work side by side: two-principals, two-credentials or none (then new logins fail for a moment).',
  consumer: 'Name under which the application is enrolled.',
  phase:
    'What is asked for. load: load what AWSCURRENT names. verify: try the version, which AWSPENDING names, and work on with AWSCURRENT.',
  wave: 'Number of the wave that the application is in; waves follow one another.',
  deadline: 'Until when this asking waits, by the clock that also wrote time; null where nobody waits.',
  taskToken:
    'Goes back in the answer, unchanged. Whoever holds it can answer for the application: never log it.',
  consumers: 'The applications that were asked so far, and how they answered.',
  'consumers.name': 'Name under which the application is enrolled.',
  'consumers.wave': 'Number of its wave.',
  'consumers.required': 'Whether the rotation depends on it.',
  'consumers.outcome': 'Its last answer; silent: none; skipped: an operator took it out.',
  'consumers.ms': 'Milliseconds from the first asking to the answer.',
  'consumers.reminders': 'How often it was asked again.',
  'consumers.group': 'The group of optional applications that it belongs to; null where it is in none.',
  durationMs: 'Milliseconds from the beginning to this event.',
  gapMs:
    'Where old and new credential cannot both work: for how many milliseconds the old one did not work while AWSCURRENT still named it. Else null.',
  sessions:
    'Sessions of the old credential that were still open at the last look before it was stopped: who holds them.',
  'sessions.application': 'Name that the application gave the session; null where the target knows none.',
  'sessions.clientAddress': 'Address it came from; null where the target knows none.',
  'sessions.count': 'How many sessions.',
  'sessions.newestBegan': 'When the youngest of them began, ISO 8601; null where the target does not know.',
  'sessions.oldestBegan': 'When the oldest of them began, ISO 8601; null where the target does not know.',
  'sessions.openSeconds':
    'For how many seconds the oldest of them had been open at the last look; null where the target does not know.',
  ended:
    'Sessions that the rotation ended after it had stopped the old credential, because the policy says so. None of sessions is open any more then. After a crash of that step: those alone that the repeat found.',
  'ended.application': 'Name that the application gave the session; null where the target knows none.',
  'ended.clientAddress': 'Address it came from; null where the target knows none.',
  'ended.count': 'How many sessions.',
  'ended.newestBegan': 'When the youngest of them began, ISO 8601; null where the target does not know.',
  'ended.oldestBegan': 'When the oldest of them began, ISO 8601; null where the target does not know.',
  'ended.openSeconds':
    'For how many seconds the oldest of them had been open when it was ended; null where the target does not know.',
  decisions: 'What operators decided meanwhile, in order.',
  'decisions.decision': 'What was decided.',
  'decisions.by': 'Who decided.',
  'decisions.time': 'When, ISO 8601.',
  state: 'State of the workflow that failed.',
  error: 'Name of the error.',
  cause: 'Its message, without secret values.',
  current: 'The version that AWSCURRENT names now; null where that could not be found out.',
  choices: 'What may be decided about this rotation.',
  decision:
    'resume: ask those again who have not acknowledged. back: return to the credential from before. accept: stop that one all the same.',
  skip: 'Applications that are not asked again on resume.',
  by: 'Who decides; it stands in the event of the end.',
  [`${detailTypes.refreshRequested} versionId`]:
    'To load: the version that AWSCURRENT named when this was sent, a hint, since what it names when you look is what counts. To verify: the version to try.',
  [`${detailTypes.refreshAcknowledged} secret`]: 'The secret, as the request names it.',
  [`${detailTypes.refreshAcknowledged} versionId`]:
    'The version that the application works with, or refuses; for working that of the request.',
  [`${detailTypes.refreshAcknowledged} outcome`]:
    'loaded: every instance works with the version, or it was verified. refused: it cannot. working: it takes longer; the time until the deadline begins anew.',
  [`${detailTypes.refreshAcknowledged} reason`]:
    'Why it is refused, without secret values; the first 256 characters are passed on.',
  [`${detailTypes.failed} outcome`]:
    'unchanged: nothing has happened. reverted: back at the credential from before. kept: both credentials still work. revert-failed: see the alert.',
};

/** Members that are moments in time. */
export const moments: readonly string[] = [
  'time',
  'deadline',
  'sessions.newestBegan',
  'sessions.oldestBegan',
  'ended.newestBegan',
  'ended.oldestBegan',
  'decisions.time',
];
