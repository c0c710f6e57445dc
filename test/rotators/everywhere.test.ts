import {
  AdminRejected,
  CredentialRejected,
  CredentialUnusable,
  TargetUnreachable,
} from '../../domain/errors';
import { everywhere } from '../../rotators/everywhere';
import { rejection } from './context';

/** Fails at the places that are named, and notes in which order it was asked. */
function runAt(failures: Readonly<Record<string, Error>>) {
  const asked: string[] = [];
  const run = (place: string) => {
    asked.push(place);
    const failure = failures[place];
    return failure === undefined ? Promise.resolve(`${place} done`) : Promise.reject(failure);
  };
  return { asked, run };
}

describe('the same at several places', () => {
  test('is answered in their order', async () => {
    expect(await everywhere(['a', 'b', 'c'], runAt({}).run)).toEqual(['a done', 'b done', 'c done']);
    expect(await everywhere([], runAt({}).run)).toEqual([]);
  });

  test.each([new CredentialRejected('no'), new AdminRejected('no')])(
    'is asked of no other place where the first refuses the login ($name)',
    async (refused) => {
      const { asked, run } = runAt({ a: refused });
      expect(await rejection(everywhere(['a', 'b'], run))).toBe(refused);
      expect(asked).toEqual(['a']);
    },
  );

  test('says of how many places which failed', async () => {
    const { asked, run } = runAt({ a: new TargetUnreachable('a away'), c: new TargetUnreachable('c away') });
    expect(await rejection(everywhere(['a', 'b', 'c'], run))).toMatchObject({
      name: 'TargetUnreachable',
      message: '2 of 3: a away; c away',
    });
    expect(asked).toEqual(['a', 'b', 'c']);
  });

  test('fails by what waiting does not mend, if there is any', async () => {
    const { run } = runAt({ a: new TargetUnreachable('a away'), b: new CredentialUnusable('b off') });
    expect((await rejection(everywhere(['a', 'b'], run))).name).toBe('CredentialUnusable');
  });

  test('keeps the error of a single place as it is', async () => {
    const away = new TargetUnreachable('a away');
    expect(await rejection(everywhere(['a'], runAt({ a: away }).run))).toBe(away);
  });
});
