import { ended, expectSafe, requests, run } from './expectations';
import { consumer, previous, token } from './simulated-world';

const many = (count: number, wave = 1) =>
  Array.from({ length: count }, (_, index) => consumer(`app-${String(wave)}-${String(index)}`, wave));

describe('a wave of more than forty', () => {
  it('is asked at once, each consumer with a history of its own, and the outcomes come back in order', async () => {
    const wave = many(60);
    const world = await run({ consumers: [wave] });
    expectSafe(world);
    expect(world.status).toBe('SUCCEEDED');
    expect(world.path).toContain('AskLargeWave');
    expect(world.path).not.toContain('AskWave');
    expect(ended(world)['consumers']).toEqual(
      wave.map(({ name }) => expect.objectContaining({ name, outcome: 'loaded', required: true }) as object),
    );
  });

  it('reports silence as data, and the rotation is held', async () => {
    const world = await run({ consumers: [many(41)], answers: { 'app-1-7': () => undefined } });
    expectSafe(world);
    expect(world.status).toBe('HELD');
    expect(world.cause).toMatchObject({
      error: 'ConsumerSilent',
      cause: 'no word about version version-token from app-1-7',
    });
  });

  it('ends with the first refusal, tells no further wave, and asks everybody who was told to come back', async () => {
    const world = await run({
      consumers: [[consumer('canary')], many(41, 2), many(41, 3)],
      answers: {
        'app-2-3': (_, version) =>
          version === token ? 'refuse' : { consumer: 'app-2-3', versionId: version, account: '111122223333' },
        // Nobody waits for this one's deadline.
        'app-2-4': (_, version) =>
          version === token
            ? undefined
            : { consumer: 'app-2-4', versionId: version, account: '111122223333' },
      },
    });
    expectSafe(world);
    expect(world.status).toBe('FAILED');
    expect(ended(world)).toMatchObject({
      error: 'ConsumerRefused',
      cause: 'consumer app-2-3 refused version version-token: simulated',
      outcome: 'reverted',
    });
    expect(world.path).toContain('WhoRefused');
    const told = requests(world);
    expect(told.some((request) => request.startsWith('app-3-'))).toBe(false);
    const back = told
      .filter((request) => request.endsWith(` ${previous}`))
      .map((request) => request.split(' ')[0]);
    expect(new Set(back)).toEqual(new Set(['canary', ...many(41, 2).map(({ name }) => name)]));
  });

  it('is held where an iteration fails of something else than a refusal', async () => {
    const world = await run({
      consumers: [many(41)],
      strikes: [{ state: 'WhoRefused', moment: 'before', error: 'Broken', times: 1000 }],
      answers: { 'app-1-3': () => 'refuse' },
    });
    expectSafe(world);
    expect(world.status).toBe('HELD');
    expect(world.cause).toMatchObject({ error: 'Broken' });
  });
});
