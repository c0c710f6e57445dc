import net from 'node:net';
import tls from 'node:tls';
import encodeCommand from '@redis/client/dist/lib/RESP/encoder';
import { Decoder } from '@redis/client/dist/lib/RESP/decoder';
import { TargetUnreachable } from '../../domain/errors';
import { NoAnswer, noAnswer, refusal } from './errors';

/** Far below a function's deadline, so that a security group that drops packets is told from a slow server. */
const connectTimeoutMs = 5_000;

/** What Redis answers in version 2 of its protocol; errors are thrown and stand nowhere in it. */
export type Reply = string | number | null | readonly Reply[];

/** Where a server listens, and how it is to be talked to. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** Absent: plain text. */
  readonly tls?: { readonly ca?: string };
}

/** As whom. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A connection that is logged in. */
export interface Session {
  /** For messages: the server and the user. */
  readonly where: string;
  /** Sends one command and waits for its answer. Errors have names of domain/errors.ts. */
  command(...words: readonly string[]): Promise<Reply>;
  close(): void;
}

/**
 * Connects and logs in. CredentialRejected, TargetUnreachable, TlsUnavailable.
 *
 * The driver's encoder and decoder on a socket of one's own, and not its client: that is thirty times the code, for
 * commands, pools and reconnecting that a verb has no use for.
 */
export async function open(
  address: Address,
  { username, password }: Login,
  signal: AbortSignal,
): Promise<Session> {
  const where = `${address.host}:${String(address.port)} as ${username}`;
  if (signal.aborted) throw new TargetUnreachable(`${where}: no time left to connect`);
  const line = new Line(address);
  const abandon = () => line.giveUp(new NoAnswer('no time left'));
  signal.addEventListener('abort', abandon, { once: true });
  const session: Session = {
    where,
    command: async (...words) => {
      const answer = await line.ask(words).catch((error: unknown) => {
        throw noAnswer(error, where);
      });
      if (answer instanceof Refused) throw refusal(answer.message, where);
      return answer;
    },
    close: () => {
      signal.removeEventListener('abort', abandon);
      line.giveUp(new NoAnswer('closed'));
    },
  };
  const late = setTimeout(() => {
    const stage = address.tls !== undefined && line.connected ? ' to the TLS handshake' : '';
    line.giveUp(new NoAnswer(`no answer${stage} within ${connectTimeoutMs / 1000} s`));
  }, connectTimeoutMs);
  try {
    // One command for login and name: HELLO needs no right, CLIENT SETNAME does. The server logs neither name nor password.
    await session.command('HELLO', '2', 'AUTH', username, password, 'SETNAME', 'rotor');
    return session;
  } catch (error) {
    session.close();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** An error that the server answered, as a value: what it means depends on who asked what. */
class Refused {
  constructor(readonly message: string) {}
}

interface Waiting {
  readonly resolve: (answer: Reply | Refused) => void;
  readonly reject: (error: Error) => void;
}

/** A socket on which answers come in the order of the questions. */
class Line {
  connected = false;
  private readonly socket: net.Socket;
  private readonly waiting: Waiting[] = [];
  private ended: Error | undefined;

  constructor({ host, port, tls: secure }: Address) {
    const decoder = new Decoder({
      onReply: (reply: Reply) => this.waiting.shift()?.resolve(reply),
      onErrorReply: ({ message }) => this.waiting.shift()?.resolve(new Refused(message)),
      // Version 2 of the protocol pushes nothing to who has not subscribed.
      onPush: () => undefined,
      getTypeMapping: () => ({}),
    });
    // Named for SNI unless it is an address, which TLS does not allow there.
    const name = net.isIP(host) === 0 ? { servername: host } : {};
    this.socket =
      secure === undefined ? net.connect({ host, port }) : tls.connect({ host, port, ...secure, ...name });
    this.socket.on('connect', () => (this.connected = true));
    this.socket.on('error', (error) => this.giveUp(error));
    this.socket.on('close', () => this.giveUp(new NoAnswer('connection closed by the server')));
    this.socket.on('data', (chunk) => {
      try {
        decoder.write(chunk);
      } catch (error) {
        this.giveUp(error instanceof Error ? error : new NoAnswer(String(error)));
      }
    });
  }

  ask(words: readonly string[]): Promise<Reply | Refused> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) {
        reject(this.ended);
        return;
      }
      this.waiting.push({ resolve, reject });
      for (const part of encodeCommand(words)) this.socket.write(part);
    });
  }

  giveUp(why: Error): void {
    this.ended ??= why;
    for (const { reject } of this.waiting.splice(0)) reject(this.ended);
    this.socket.destroy();
  }
}
