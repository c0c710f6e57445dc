import { classified } from '../../../rotators/iam/errors';

const answer = (name: string, httpStatusCode = 400) =>
  Object.assign(new Error('said so'), { name, $metadata: { httpStatusCode } });

test.each([
  ['an answer of 5xx', answer('ServiceFailureException', 500), 'TargetUnreachable'],
  ['an unknown answer of 5xx', answer('InternalFailure', 503), 'TargetUnreachable'],
  ['a throttled call', answer('Throttling'), 'TargetUnreachable'],
  ['too many requests', answer('TooManyRequestsException', 429), 'TargetUnreachable'],
  ['another change at the same time', answer('ConcurrentModificationException', 409), 'TargetUnreachable'],
  ['a role whose session has ended', answer('ExpiredToken', 403), 'TargetUnreachable'],
  [
    'a refused connection',
    Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    'TargetUnreachable',
  ],
  ['a timeout', Object.assign(new Error('timed out'), { name: 'TimeoutError' }), 'TargetUnreachable'],
  ['a missing permission', answer('AccessDenied', 403), 'PermissionMissing'],
  ['a third key', answer('LimitExceededException', 409), 'OverlapExhausted'],
  ['a user who does not exist', answer('NoSuchEntityException', 404), 'PolicyInvalid'],
  ['a key of the function that AWS does not know', answer('InvalidClientTokenId', 403), 'PermissionMissing'],
  ['anything else', answer('InvalidInputException'), 'TargetRefused'],
  ['something that is no error', 'text', 'TargetUnreachable'],
])('%s is named', (_, error, name) => {
  expect(classified(error, 'ListAccessKeys for app', 'function').name).toBe(name);
});

test('a wrong signature of the key itself is its rejection', () => {
  expect(classified(answer('SignatureDoesNotMatch', 403), 'GetCallerIdentity', 'secret').name).toBe(
    'CredentialRejected',
  );
});

test('the message says what was asked and what was answered', () => {
  expect(classified(answer('AccessDenied', 403), 'ListAccessKeys for app', 'function').message).toBe(
    'ListAccessKeys for app: said so (AccessDenied)',
  );
});
