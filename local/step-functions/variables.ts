import { StateFailure } from './failure';
import type { Json, JsonObject } from './json';
import { byteSize, payloadLimit } from './json';

// 10 MiB: what all variables of an execution may hold together.
const totalLimit = 10 * 1024 * 1024;

/**
 * The variables of one scope: the machine's own, or those of a branch or an iteration.
 *
 * An inner scope reads the outer ones and assigns only its own, which are gone when it ends.
 */
export class Variables {
  private own: Readonly<Record<string, Json>> = {};

  constructor(private readonly outer?: Variables) {}

  /** A scope inside this one. */
  inner(): Variables {
    return new Variables(this);
  }

  /** Everything that an expression in this scope can see. */
  visible(): Readonly<Record<string, Json>> {
    return { ...this.outer?.visible(), ...this.own };
  }

  /** Sets variables of this scope; throws States.DataLimitExceeded beyond 256 KiB at once or 10 MiB in all. */
  assign(values: JsonObject): void {
    const next = { ...this.own, ...values };
    if (byteSize(values) > payloadLimit || byteSize({ ...this.outer?.visible(), ...next }) > totalLimit)
      throw new StateFailure(
        'States.DataLimitExceeded',
        `Assigning ${Object.keys(values).join(', ')} exceeds the size that variables may have`,
      );
    this.own = next;
  }
}
