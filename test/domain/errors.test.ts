import { RotorError, rotorErrors } from '../../domain/errors';

const all = Object.entries(rotorErrors);

test.each(all)('%s has its own name as a literal, which a bundler does not change', (name, Type) => {
  const error = new Type('why');
  expect(error.name).toBe(name);
  expect(Object.getOwnPropertyDescriptor(error, 'name')?.value).toBe(name);
  expect(error).toBeInstanceOf(RotorError);
  expect(error.message).toBe('why');
  expect(typeof error.retryable).toBe('boolean');
});

test('only what may pass by itself is retryable', () => {
  const retryable = all.filter(([, Type]) => new Type('').retryable).map(([name]) => name);
  expect(retryable).toEqual([
    'TargetUnreachable',
    'CredentialRejected',
    'ChangeCalendarClosed',
    'GroupBusy',
    'LastRotationOpen',
    'RotationInProgress',
  ]);
});

test('an error shows its name in text, where logs and Lambda take it from', () => {
  expect(String(new rotorErrors.AdminMissing('no admin'))).toBe('AdminMissing: no admin');
});
