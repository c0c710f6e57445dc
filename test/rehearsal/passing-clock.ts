import { ScaledClock, type Timer } from '../../local/kernel/clock';

interface Wait {
  readonly at: number;
  readonly run: () => void;
  timer: Timer;
}

/** The machine's own time, of which a test may let some pass at once: whatever is due by then has waited long enough. */
export class PassingClock extends ScaledClock {
  private passedMs = 0;
  private readonly waits = new Set<Wait>();

  override now(): number {
    return super.now() + this.passedMs;
  }

  override after(delayMs: number, run: () => void): Timer {
    const end = () => {
      this.waits.delete(wait);
      run();
    };
    const wait: Wait = { at: this.now() + delayMs, run: end, timer: super.after(delayMs, end) };
    this.waits.add(wait);
    return {
      cancel: () => {
        this.waits.delete(wait);
        wait.timer.cancel();
      },
    };
  }

  pass(ms: number): void {
    this.passedMs += ms;
    for (const wait of this.waits) {
      wait.timer.cancel();
      wait.timer = super.after(wait.at - this.now(), wait.run);
    }
  }
}
