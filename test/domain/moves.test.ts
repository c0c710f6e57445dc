import { movesToRevert, type Labels } from '../../domain/labels';
import { isOwnMove, type RotationRun } from '../../domain/moves';
import { heldLabel } from '../../domain/names';
import { afterMove } from './label-store';

const [before, token, other] = ['v-before', 'v-token', 'v-other'];
const second = 1000;
const begun = 1_767_225_600_400;
const rotation: RotationRun = {
  versionId: token,
  previousVersionId: before,
  status: 'RUNNING',
  startedAt: begun,
  endedAt: undefined,
};
const ended = (status: string, endedAt = begun + 60 * second) => ({ ...rotation, status, endedAt });
/** The event's time of a move so many milliseconds after the rotation's beginning. */
const at = (ms: number) => Math.floor((begun + ms) / second) * second;

/** As FinishSecret leaves them where credentials overlap. */
const forward: Labels = { [before]: ['AWSPREVIOUS', heldLabel], [token]: ['AWSCURRENT', 'AWSPENDING'] };
/** As going back leaves them, by the moves that it makes. */
const back: Labels = movesToRevert(forward, {
  previous: before,
  token,
  holdToken: true,
  ownHold: true,
}).reduce(afterMove, forward);

test('a move to the version of a rotation, while it runs, is its own', () => {
  expect(isOwnMove({ versionId: token, at: at(2500) }, forward, rotation)).toBe(true);
});

test('so it is within the second in which the rotation began, as events have no fractions', () => {
  expect(isOwnMove({ versionId: token, at: at(0) }, forward, rotation)).toBe(true);
  expect(at(0)).toBeLessThan(begun);
});

test.each(['SUCCEEDED', 'FAILED'])('and when its event is heard after the rotation has %s', (status) => {
  expect(isOwnMove({ versionId: token, at: at(2500) }, forward, ended(status))).toBe(true);
});

test('a move to that version after the end of the rotation is somebody else’s', () => {
  expect(isOwnMove({ versionId: token, at: at(61 * second) }, forward, ended('SUCCEEDED'))).toBe(false);
});

test('a move to the version before, from before the rotation began, is somebody else’s', () => {
  expect(isOwnMove({ versionId: before, at: at(-2 * second) }, back, rotation)).toBe(false);
});

test('going back is its own: the hold has gone to the new version', () => {
  expect(back).toEqual({ [before]: ['AWSCURRENT'], [token]: ['AWSPREVIOUS', heldLabel] });
  expect(isOwnMove({ versionId: before, at: at(5 * second) }, back, rotation)).toBe(true);
});

test('and when its event is heard after the end, without a hold', () => {
  const released = afterMove(back, { stage: heldLabel, from: token });
  expect(isOwnMove({ versionId: before, at: at(5 * second) }, released, ended('FAILED'))).toBe(true);
});

test('a person who puts AWSCURRENT back while the rotation goes forward is somebody else: the hold is where it was', () => {
  const byHand = afterMove(forward, { stage: 'AWSCURRENT', to: before, from: token });
  expect(isOwnMove({ versionId: before, at: at(5 * second) }, byHand, rotation)).toBe(false);
  expect(isOwnMove({ versionId: before, at: at(5 * second) }, byHand, ended('FAILED'))).toBe(false);
});

test('a rotation that succeeded has not gone back', () => {
  const byHand: Labels = { [before]: ['AWSCURRENT'], [token]: ['AWSPREVIOUS'] };
  expect(isOwnMove({ versionId: before, at: at(59 * second) }, byHand, ended('SUCCEEDED'))).toBe(false);
});

test('a third version that comes while the rotation runs is somebody else’s', () => {
  const written: Labels = { [before]: [heldLabel], [token]: ['AWSPREVIOUS'], [other]: ['AWSCURRENT'] };
  expect(isOwnMove({ versionId: other, at: at(5 * second) }, written, rotation)).toBe(false);
});
