import { setTimeout as delay } from 'node:timers/promises';
import type { Logins } from './target';

/** Written by every session of Rotor in its first statement: the log of statements knows no program names. */
const rotorMark = '/* rotor */';

/** The statement by which a session tells the log whose it is. */
export function applicationMark(application: string): string {
  return `set @application = x'${Buffer.from(application).toString('hex')}'`;
}

/** ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_ACCOUNT_HAS_BEEN_LOCKED. */
const refusals = ['1045', '1698', '4151'];

/** MariaDB writes down a refused login after it has told the client: at once, unless the machine is busy. */
const patienceMs = 30_000;

/** Reads logins from the audit log (who) and the log of statements (which application); waits for those under way. */
export async function loginsIn(logText: () => Promise<string>): Promise<Logins> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const log = await logText();
    const audited = [
      ...log.matchAll(/^\d{8} [\d:]+,[^,]*,(.*),[^,]*,(\d+),\d+,((?:FAILED_)?CONNECT),.*,(\d+)$/gm),
    ].map(([, user = '', id = '', event, code = '']) => ({
      user,
      id,
      isAccepted: event === 'CONNECT',
      code,
    }));
    const ended = new Set(audited.map(({ id }) => id));
    const begun = [...log.matchAll(/^(?:\d{6}\s+[\d:]+)?\t+ *(\d+) Connect\t/gm)].map(([, id = '']) => id);
    if (begun.some((id) => !ended.has(id)) && Date.now() < until) {
      await delay(5);
      continue;
    }
    const applications = applicationsIn(log);
    return {
      accepted: audited
        .filter(({ isAccepted }) => isAccepted)
        .map(({ user, id }) => ({ user, application: applications.get(id) ?? '' })),
      refused: audited.filter(({ code }) => refusals.includes(code)).map(({ user }) => ({ user })),
    };
  }
}

function applicationsIn(log: string): ReadonlyMap<string, string> {
  const marks = log.matchAll(
    /^(?:\d{6}\s+[\d:]+)?\t+ *(\d+) Query\t(?:set @application = x'([0-9a-f]*)'|.*(\/\* rotor \*\/))/gm,
  );
  return new Map(
    [...marks].map(([, id = '', hex = '', rotor]) => [
      id,
      rotor === rotorMark ? 'rotor' : Buffer.from(hex, 'hex').toString(),
    ]),
  );
}
