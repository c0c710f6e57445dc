import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../client/clock';
import { type SecretsManagerPort } from '../../client/ports';
import type { Adapter, Progress, RolledOut } from '../adapter';
import { SettingsInvalid } from '../errors';
import { checkLiteral, guardedLookup } from './addresses';
import { pauseAsked, type Verdict, verdictOf } from './answers';
import type { HttpsSettings } from './definition';
import { EndpointBusy } from './errors';
import { exchange, type Reply } from './exchange';
import { signatureOf, SigningKeys } from './signing-keys';
import { statusAddress } from './status-address';

/** An endpoint that takes longer to load should answer 202 and be asked. In milliseconds. */
const timeoutMs = 30_000;

/** An answer says one thing. */
const longestAnswer = 64 * 1024;

/** What the adapter takes from outside. */
export interface HttpsPorts {
  readonly secretsManager: SecretsManagerPort;
  readonly clock: Clock;
}

/** The last word about a version. It saves a question; without it the endpoint is asked. */
interface Heard {
  readonly versionId: string;
  readonly rotationId: string;
  readonly verdict: Verdict;
}

/**
 * Tells an endpoint of the team's own to load a version, and asks it how far it is.
 *
 * A request is a POST with ids, signed. It is repeated after a crash and for a reminder: the endpoint compares the
 * version with the one that it runs on. 202 is followed by signed GETs, of `Location` or of the same address. Where nobody
 * there knows of the version any more, because the receiver has restarted, the POST is sent again. Errors are those of answers.ts, exchange.ts, addresses.ts and signing-keys.ts.
 */
export class HttpsAdapter implements Adapter {
  private readonly url: URL;
  private readonly keys: SigningKeys;
  private heard: Heard | undefined;
  /** Until when the endpoint has asked to be left alone, in milliseconds since the epoch. */
  private busyUntil = 0;

  constructor(
    private readonly settings: HttpsSettings,
    private readonly ports: HttpsPorts,
  ) {
    this.url = new URL(settings.url);
    this.keys = new SigningKeys(ports.secretsManager, settings, ports.clock);
    if (settings.ca !== undefined) checkCertificate(settings.ca);
  }

  async begin(version: RolledOut, signal: AbortSignal): Promise<void> {
    await this.request(version, signal);
  }

  async look(version: RolledOut, signal: AbortSignal): Promise<Progress> {
    const { versionId, rotationId } = version;
    const heard =
      this.heard?.versionId === versionId && this.heard.rotationId === rotationId
        ? this.heard.verdict
        : undefined;
    if (heard?.state === 'loaded' || heard?.state === 'refused') return progressOf(heard);
    try {
      const url = statusAddress(this.url, version, heard?.state === 'working' ? heard.location : undefined);
      const verdict = await this.ask('GET', url, version, undefined, signal);
      return progressOf(verdict.state === 'unknown' ? await this.request(version, signal) : verdict);
    } catch (error) {
      // It has answered, and is at work as far as anybody knows.
      if (error instanceof EndpointBusy) return { state: 'working' };
      throw error;
    }
  }

  /** Asks for the version. A repeat is as good as the first time. */
  private async request(version: RolledOut, signal: AbortSignal): Promise<Verdict> {
    const { consumer, secret, versionId, rotationId } = version;
    const time = new Date(this.ports.clock.now()).toISOString();
    const body = JSON.stringify({ schemaVersion: '1', consumer, secret, versionId, rotationId, time });
    this.heard = undefined;
    const verdict = await this.ask('POST', this.url, version, body, signal);
    this.heard = { versionId, rotationId, verdict };
    return verdict;
  }

  private async ask(
    method: 'GET' | 'POST',
    url: URL,
    { versionId, rotationId }: RolledOut,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const { clock } = this.ports;
    const what = `${method} ${this.url.host}`;
    if (clock.now() < this.busyUntil)
      throw new EndpointBusy(`${what}: asked to come back at ${new Date(this.busyUntil).toISOString()}`);
    let reply = await this.send(method, url, rotationId, body, signal);
    if (reply.status === 401 || reply.status === 403) {
      // The keys may have been rotated twice since they were read.
      this.keys.forget();
      reply = await this.send(method, url, rotationId, body, signal);
    }
    const waitMs = pauseAsked(reply, clock.now());
    this.busyUntil = waitMs === undefined ? 0 : clock.now() + waitMs;
    return verdictOf(reply, { method, versionId, what, hidden: await this.keys.read(signal) });
  }

  private async send(
    method: 'GET' | 'POST',
    url: URL,
    rotationId: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<Reply> {
    const { privateAddresses, ca } = this.settings;
    checkLiteral(url, privateAddresses);
    const keys = await this.keys.read(signal);
    // A GET has no body; what it asks for stands in its address.
    const signed = body ?? `${url.pathname}${url.search}`;
    return exchange(
      {
        method,
        url,
        what: `${method} ${url.host}`,
        headers: {
          'rotor-signature': signatureOf(keys, this.ports.clock.now(), signed),
          'rotor-rotation-id': rotationId,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        ca,
        lookup: guardedLookup(url.host, privateAddresses),
        timeoutMs,
        longest: longestAnswer,
      },
      signal,
    );
  }
}

function progressOf(verdict: Verdict): Progress {
  switch (verdict.state) {
    case 'loaded':
      return { state: 'done' };
    case 'working':
    case 'unknown':
      return { state: 'working' };
    case 'refused':
      return verdict;
  }
}

function checkCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch {
    throw new SettingsInvalid('field ca is not a certificate as PEM');
  }
}
