import fc from 'fast-check';
import {
  afterMove,
  afterWrite,
  attached,
  holderOf,
  labelsOf,
  type LabelMove,
  type Labels,
} from '../../../local/secrets-manager/labels';
import { ServiceError } from '../../../local/kernel/service';

function labels(byVersion: Readonly<Record<string, readonly string[]>>): Labels {
  return new Map(Object.entries(byVersion).map(([id, held]) => [id, new Set(held)]));
}

function plain(value: Labels): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries([...value].map(([id, held]) => [id, [...held].sort()]));
}

function move(before: Labels, change: Partial<LabelMove> & { readonly label: string }): Labels {
  return afterMove(before, before, { moveTo: undefined, removeFrom: undefined, ...change });
}

describe('labels after a write', () => {
  it('the first current value has no previous one', () => {
    expect(plain(afterWrite(labels({}), 'v1', ['AWSCURRENT']))).toEqual({ v1: ['AWSCURRENT'] });
  });

  it('a new current value makes the former one AWSPREVIOUS and takes that label off the one before', () => {
    const before = labels({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT', 'kept'] });
    expect(plain(afterWrite(before, 'v3', ['AWSCURRENT']))).toEqual({
      v1: [],
      v2: ['AWSPREVIOUS', 'kept'],
      v3: ['AWSCURRENT'],
    });
  });

  it('a new current value takes AWSPENDING off the former one', () => {
    const before = labels({ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT', 'AWSPENDING'] });
    expect(plain(afterWrite(before, 'v3', ['AWSCURRENT']))).toEqual({
      v1: [],
      v2: ['AWSPREVIOUS'],
      v3: ['AWSCURRENT'],
    });
  });

  it('a new current value clears a rotation that was left over', () => {
    const before = labels({ v1: ['AWSCURRENT'], v2: ['AWSPENDING'] });
    expect(plain(afterWrite(before, 'v3', ['AWSCURRENT']))).toEqual({
      v1: ['AWSPREVIOUS'],
      v2: [],
      v3: ['AWSCURRENT'],
    });
  });

  it('a pending value leaves the current one alone', () => {
    const before = labels({ v1: ['AWSCURRENT'] });
    expect(plain(afterWrite(before, 'v2', ['AWSPENDING']))).toEqual({
      v1: ['AWSCURRENT'],
      v2: ['AWSPENDING'],
    });
  });

  it('labels of one’s own move from version to version', () => {
    const before = labels({ v1: ['AWSCURRENT'], v2: ['one', 'three', 'two'] });
    expect(plain(afterWrite(before, 'v3', ['one', 'two', 'four']))).toEqual({
      v1: ['AWSCURRENT'],
      v2: ['three'],
      v3: ['four', 'one', 'two'],
    });
  });

  it('a secret has twenty labels at most', () => {
    const nineteen = Array.from({ length: 19 }, (_, index) => `label${index}`);
    const before = labels({ v1: ['AWSCURRENT', ...nineteen] });
    expect(() => afterWrite(before, 'v2', ['AWSPENDING'])).toThrow(
      "You can't attach more than 20 staging labels",
    );
  });
});

describe('labels after a move', () => {
  const before = labels({ v0: ['AWSPREVIOUS'], v1: ['AWSCURRENT', 'rotor-held'], v2: ['AWSPENDING'] });

  it('AWSCURRENT takes AWSPREVIOUS along and leaves every other label', () => {
    expect(plain(move(before, { label: 'AWSCURRENT', moveTo: 'v2', removeFrom: 'v1' }))).toEqual({
      v0: [],
      v1: ['AWSPREVIOUS', 'rotor-held'],
      v2: ['AWSCURRENT', 'AWSPENDING'],
    });
  });

  it('AWSCURRENT moves back the same way', () => {
    const there = move(before, { label: 'AWSCURRENT', moveTo: 'v2', removeFrom: 'v1' });
    const back = move(there, { label: 'AWSCURRENT', moveTo: 'v1', removeFrom: 'v2' });
    expect(plain(back)).toEqual({
      v0: [],
      v1: ['AWSCURRENT', 'rotor-held'],
      v2: ['AWSPENDING', 'AWSPREVIOUS'],
    });
  });

  it('AWSCURRENT does not move unless the version that has it is named', () => {
    expect(() => move(before, { label: 'AWSCURRENT', moveTo: 'v2' })).toThrow(
      "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version v1, so you must explicitly reference that version in RemoveFromVersionId.",
    );
  });

  it('AWSCURRENT does not move from a version that no longer has it', () => {
    expect(() => move(before, { label: 'AWSCURRENT', moveTo: 'v2', removeFrom: 'v0' })).toThrow(
      'When you move staging label AWSCURRENT, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label AWSCURRENT.',
    );
  });

  it('AWSCURRENT cannot be taken away without a successor', () => {
    expect(() => move(before, { label: 'AWSCURRENT', removeFrom: 'v1' })).toThrow(ServiceError);
  });

  it('a label that is already there stays, without naming where it is', () => {
    expect(plain(move(before, { label: 'AWSCURRENT', moveTo: 'v1' }))).toEqual(plain(before));
  });

  it('AWSPENDING can be removed', () => {
    expect(plain(move(before, { label: 'AWSPENDING', removeFrom: 'v2' }))).toMatchObject({ v2: [] });
  });

  it('a new label is attached without naming a version to remove it from', () => {
    expect(plain(move(before, { label: 'mine', moveTo: 'v0' }))).toMatchObject({
      v0: ['AWSPREVIOUS', 'mine'],
    });
  });

  it('a version that does not exist is refused by its id', () => {
    expect(() => move(before, { label: 'mine', moveTo: 'v9' })).toThrow(
      "Secrets Manager can't find the specified secret value for VersionId: v9",
    );
  });

  it('a call that names no version is refused', () => {
    expect(() => move(before, { label: 'mine' })).toThrow('You must provide a MoveToVersionId');
  });
});

describe('whatever is written and moved', () => {
  const version = fc.constantFrom('v1', 'v2', 'v3', 'v4');
  const label = fc.constantFrom('AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS', 'mine');
  const change = fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      version,
      stages: fc.uniqueArray(label, { minLength: 1 }),
    }),
    fc.record({
      kind: fc.constant('move' as const),
      label,
      moveTo: fc.option(version, { nil: undefined }),
      removeFrom: fc.option(version, { nil: undefined }),
    }),
  );

  it('each label is on one version, AWSCURRENT never vanishes, and its former version becomes AWSPREVIOUS', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        let state: Labels = afterWrite(labels({}), 'v1', ['AWSCURRENT']);
        for (const step of changes) {
          const before = state;
          try {
            state =
              step.kind === 'write'
                ? afterWrite(state, step.version, step.stages)
                : afterMove(state, new Set(['v1', 'v2', 'v3', 'v4']), step);
          } catch (error) {
            expect(error).toBeInstanceOf(ServiceError);
            expect(state).toBe(before);
          }
          const held = [...state.values()].flatMap((set) => [...set]);
          expect(new Set(held).size).toBe(held.length);
          const current = holderOf(state, 'AWSCURRENT');
          expect(current).toBeDefined();
          const previous = holderOf(before, 'AWSCURRENT');
          if (current !== previous && step.kind === 'move')
            expect(labelsOf(state, previous ?? '')).toContain('AWSPREVIOUS');
        }
      }),
    );
  });
});

describe('what came to a version', () => {
  it('is told label by label, and what stayed is not', () => {
    const before = labels({ v1: ['AWSCURRENT'], v2: ['mine'] });
    const after = move(before, { label: 'AWSCURRENT', moveTo: 'v2', removeFrom: 'v1' });
    expect(attached(before, after)).toEqual([
      { label: 'AWSPREVIOUS', versionId: 'v1' },
      { label: 'AWSCURRENT', versionId: 'v2' },
    ]);
  });
});
