import { isLoginRefused, mostLogins } from './login-refused';
import type { RotatingSecret } from './rotating-secret';

/** Which version each refused login of a pool was made with, and what to do about it. */
export class RefusedLogins {
  private readonly versions = new WeakMap<object, string>();

  constructor(private readonly secret: Pick<RotatingSecret, 'onRefused'>) {}

  /** Remembers that an error came from a login with a version, if it is a refusal; the first to say so is right. */
  note(error: Error, versionId: string): void {
    if (isLoginRefused(error) && !this.versions.has(error)) this.versions.set(error, versionId);
  }

  /**
   * Makes an attempt, and another one as long as its login is refused and the secret knows another version; four at
   * most. What the last one said goes to the caller unchanged.
   */
  async repeat<Result>(attempt: () => Promise<Result>): Promise<Result> {
    for (let logins = 1; ; logins++) {
      try {
        return await attempt();
      } catch (error) {
        const versionId = error instanceof Error ? this.versions.get(error) : undefined;
        if (versionId === undefined || logins === mostLogins) throw error;
        if ((await this.secret.onRefused(versionId)) === undefined) throw error;
      }
    }
  }
}
