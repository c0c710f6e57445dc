import { mostAttempts, nextMove } from '../../domain/attempts';

test.each(['RUNNING', 'PENDING_REDRIVE'])('an execution that is %s is waited for', (status) => {
  expect(nextMove({ status, error: undefined })).toBe('wait');
});

test.each(['FAILED', 'TIMED_OUT', 'ABORTED'])('one that ended as %s may be followed by another', (status) => {
  expect(nextMove({ status, error: undefined })).toBe('again');
  expect(nextMove({ status, error: 'TargetUnreachable' })).toBe('again');
});

test("nothing follows a consumer's refusal, since the value would be the same", () => {
  expect(nextMove({ status: 'FAILED', error: 'ConsumerRefused' })).toBe('stop');
});

test('nothing follows one that claims success while AWSCURRENT is elsewhere', () => {
  expect(nextMove({ status: 'SUCCEEDED', error: undefined })).toBe('stop');
});

test('a token gets three attempts', () => {
  expect(mostAttempts).toBe(3);
});
