import * as fc from 'fast-check';
import { heldVersion, movesToRevert, standing, versionWith, type Labels } from '../../domain/labels';
import { heldLabel } from '../../domain/names';
import { afterMove } from './label-store';

const [previous, token, other] = ['v-previous', 'v-token', 'v-other'];

/** Every state that the labels can be in: each is on one version at most, AWSCURRENT on exactly one. */
const anyLabels: fc.Arbitrary<Labels> = fc
  .record({
    current: fc.constantFrom(previous, token, other),
    pending: fc.constantFrom(previous, token, other, undefined),
    held: fc.constantFrom(previous, token, other, undefined),
    old: fc.constantFrom(previous, token, other, undefined),
  })
  .map(({ current, pending, held, old }) => {
    const labels: Record<string, string[]> = { [previous]: [], [token]: [], [other]: [] };
    labels[current]?.push('AWSCURRENT');
    if (pending !== undefined) labels[pending]?.push('AWSPENDING');
    if (held !== undefined) labels[held]?.push(heldLabel);
    if (old !== undefined && old !== current) labels[old]?.push('AWSPREVIOUS');
    return labels;
  });
const anyReversal = fc
  .tuple(fc.boolean(), fc.boolean())
  .map(([holdToken, ownHold]) => ({ previous, token, holdToken, ownHold }));

describe('standing', () => {
  test('a token is pending while AWSPENDING is on it and AWSCURRENT is not', () => {
    expect(standing({ a: ['AWSCURRENT'], t: ['AWSPENDING'] }, 't')).toBe('pending');
  });

  test('a token with both labels is current, so that a repeat after the end starts nothing', () => {
    expect(standing({ t: ['AWSCURRENT', 'AWSPENDING'] }, 't')).toBe('current');
  });

  test('a token without either label, or unknown, is gone', () => {
    expect(standing({ a: ['AWSCURRENT'], t: ['AWSPREVIOUS'] }, 't')).toBe('gone');
    expect(standing({ a: ['AWSCURRENT'] }, 't')).toBe('gone');
  });
});

describe('heldVersion', () => {
  test('it is the version that carries the hold', () => {
    expect(heldVersion({ a: ['AWSCURRENT'], b: [heldLabel] })).toBe('b');
  });

  test('a hold on the version in use counts as well: somebody may have put AWSCURRENT back by hand', () => {
    expect(heldVersion({ a: ['AWSCURRENT', heldLabel], b: [] })).toBe('a');
  });

  test('without the label nothing is held', () => {
    expect(heldVersion({ a: ['AWSCURRENT'] })).toBeUndefined();
  });
});

describe('movesToRevert', () => {
  test('from any state of the labels it takes AWSCURRENT and AWSPENDING off the token', () => {
    fc.assert(
      fc.property(anyLabels, anyReversal, (labels, reversal) => {
        const after = movesToRevert(labels, reversal).reduce(afterMove, labels);
        expect(after[token]).not.toContain('AWSCURRENT');
        expect(after[token]).not.toContain('AWSPENDING');
      }),
    );
  });

  test('from any state of the labels the hold ends on the token if wanted, and else not on the previous version', () => {
    fc.assert(
      fc.property(anyLabels, anyReversal, (labels, reversal) => {
        const after = movesToRevert(labels, reversal).reduce(afterMove, labels);
        const held = versionWith(after, heldLabel);
        if (reversal.holdToken) expect(held).toBe(token);
        else if (reversal.ownHold) expect(held).not.toBe(previous);
        else expect(held).toBe(versionWith(labels, heldLabel));
        // A hold on the token that this call did not ask for is another attempt's, and stays.
        if (versionWith(labels, heldLabel) === token) expect(held).toBe(token);
      }),
    );
  });

  test('from any state AWSCURRENT moves to the previous version if it was on the token, and else stays', () => {
    fc.assert(
      fc.property(anyLabels, anyReversal, (labels, reversal) => {
        const before = versionWith(labels, 'AWSCURRENT');
        const after = movesToRevert(labels, reversal).reduce(afterMove, labels);
        expect(versionWith(after, 'AWSCURRENT')).toBe(before === token ? previous : before);
      }),
    );
  });

  test('AWSPENDING that belongs to another rotation stays where it is', () => {
    fc.assert(
      fc.property(anyLabels, anyReversal, (labels, reversal) => {
        const before = versionWith(labels, 'AWSPENDING');
        const after = movesToRevert(labels, reversal).reduce(afterMove, labels);
        expect(versionWith(after, 'AWSPENDING')).toBe(before === token ? undefined : before);
      }),
    );
  });

  test('going back a second time moves nothing', () => {
    fc.assert(
      fc.property(anyLabels, anyReversal, (labels, reversal) => {
        const after = movesToRevert(labels, reversal).reduce(afterMove, labels);
        expect(movesToRevert(after, reversal)).toEqual([]);
      }),
    );
  });

  test('a crash after any of the moves is made good by looking again', () => {
    fc.assert(
      fc.property(anyLabels, anyReversal, fc.nat(4), (labels, reversal, crashAfter) => {
        const moves = movesToRevert(labels, reversal);
        const crashed = moves.slice(0, crashAfter).reduce(afterMove, labels);
        const mended = movesToRevert(crashed, reversal).reduce(afterMove, crashed);
        expect(mended).toEqual(moves.reduce(afterMove, labels));
      }),
    );
  });

  test('the hold is placed first and AWSPENDING goes last, so that no rotation begins in between', () => {
    const labels = { [previous]: [], [token]: ['AWSCURRENT', 'AWSPENDING'] };
    expect(movesToRevert(labels, { previous, token, holdToken: true, ownHold: true })).toEqual([
      { stage: heldLabel, to: token },
      { stage: 'AWSCURRENT', to: previous, from: token },
      { stage: 'AWSPENDING', from: token },
    ]);
  });
});
