import type { Json } from '../step-functions/json';
import { isObject } from '../step-functions/json';
import type { TaskCaller, TaskPort } from '../step-functions/task-port';
import type { RecordedInvocation } from './asl-case';
import type { Matcher } from './asl-match';

/** Answers each task as AWS's services did when the case was recorded, in the order of each state's calls. */
export class RecordedTasks implements TaskPort {
  /** The first call that the recording does not know, or that differs from it. */
  surprise: string | undefined;
  private readonly rest: RecordedInvocation[];

  constructor(
    invocations: readonly RecordedInvocation[],
    private readonly matcher: Matcher,
  ) {
    this.rest = [...invocations];
  }

  async invoke(_resource: string, input: Json, { stateName, signal }: TaskCaller): Promise<Json> {
    const place = this.rest.findIndex(({ state }) => state === stateName);
    const invocation = this.rest.splice(place, place < 0 ? 0 : 1)[0];
    if (invocation === undefined) {
      this.surprise ??= `${stateName} was called more often than recorded`;
      throw Object.assign(new Error(this.surprise), { error: 'Unexpected' });
    }
    this.surprise ??= this.matcher.difference(invocation.request, input, `request of ${stateName}`);
    if (invocation.noAnswer === true) return silence(signal);
    if (invocation.error !== undefined) {
      const { error, cause, causeText } = invocation.error;
      const text = causeText ?? (typeof cause === 'string' ? cause : JSON.stringify(cause));
      throw Object.assign(new Error(error), {
        error,
        cause: isObject(cause) || text !== '' ? text : undefined,
      });
    }
    return invocation.result ?? null;
  }
}

/** Does not answer until the task's time is up. */
async function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );
}
