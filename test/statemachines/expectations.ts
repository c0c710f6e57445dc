import { Simulation, text, type World } from './simulated-world';

/** Runs one rotation of a world to its end, or until it is held and nobody decides. */
export const run = (world: Partial<World> = {}) => new Simulation(world).run();

/** Requests to refresh, as `consumer version`, in order. */
export const requests = ({ events }: Simulation) =>
  events
    .filter(({ type }) => type === 'Secret Refresh Requested')
    .map(({ detail }) => `${text(detail['consumer'])} ${text(detail['versionId'])}`);

/** The detail of the last event. */
export const ended = (world: Simulation) => world.events.at(-1)?.detail ?? {};

/** Events by which a rotation says that it is over. */
export const endings = ({ events }: Simulation) =>
  events.map(({ type }) => type).filter((type) => /(?:Succeeded|Failed)$/.test(type));

/** What must be true after every rotation, however it ended. */
export function expectSafe(world: Simulation): void {
  expect(world.outages).toEqual([]);
  expect(world.accepted).toContain(world.labels['AWSCURRENT']);
  expect([undefined, world.labels['AWSCURRENT']]).toContain(world.labels['AWSPENDING']);
  expect(endings(world)).toHaveLength(world.status === 'HELD' ? 0 : 1);
  const holds = world.alerts.filter(({ kind }) => kind === 'held');
  if (world.status === 'HELD') expect(holds.length).toBeGreaterThan(0);
  const others = world.alerts.filter(({ kind }) => kind !== 'held' && kind !== 'cut-off');
  expect(others).toHaveLength(world.status === 'FAILED' ? 1 : 0);
}
