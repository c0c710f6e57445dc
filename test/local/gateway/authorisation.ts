import type { Service } from '../../../local/kernel/service';
import { operator } from './stage';
import type { Stage } from './stage';

/** How a test calls one operation so that it gets as far as asking for leave, and what it must then ask for. */
export interface Probe {
  readonly input: Readonly<Record<string, unknown>>;
  /** IAM action. */
  readonly action: string;
  readonly resource: string;
}

/** Declares the tests that hold every operation of a service to asking before it acts. */
export function everyOperationAsks(
  stage: Stage,
  service: () => Service,
  code: string,
  probes: Readonly<Record<string, Probe>>,
  prepare: () => Promise<void>,
): void {
  describe('authorisation', () => {
    beforeEach(prepare);
    afterEach(() => (stage.refuses = () => false));

    test('the table names every operation', () => {
      expect(Object.keys(probes).sort()).toEqual(Object.keys(service().operations).sort());
    });

    test.each(Object.entries(probes))(
      '%s asks for its action and is refused without it',
      async (name, probe) => {
        stage.refuses = ({ action }) => action === probe.action;
        stage.asked.length = 0;
        const call = stage.surroundings.callService(service().id, name, probe.input, { principal: operator });
        await expect(call).rejects.toMatchObject({ code });
        expect(stage.asked.map(({ action, resource }) => ({ action, resource }))).toEqual([
          { action: probe.action, resource: probe.resource },
        ]);
      },
    );
  });
}
