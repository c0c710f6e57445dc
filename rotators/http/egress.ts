import type { LookupFunction } from 'node:net';
import { EgressRefused } from '../../domain/errors';
import { addressFault, checkedLookup, literalAddress } from '../../network/addresses';

/** Where requests may go. */
export interface Egress {
  /** Hosts, with a port where it is not 443, whose addresses are public. */
  readonly hosts?: readonly string[] | undefined;
  /** Hosts whose addresses may be private. */
  readonly privateHosts?: readonly string[] | undefined;
  /** Certificate of the authority to trust instead of those that Node trusts, as PEM. */
  readonly ca?: string | undefined;
}

/** Whether a host can only be this machine, where nobody listens in on the way. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}

/** Lets a URL pass that the policy's hosts allow. EgressRefused names the host. */
export function checkUrl(url: URL, egress: Egress, what: string): void {
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  if (!secure || url.username !== '' || url.password !== '')
    throw new EgressRefused(`${what} is to go to ${url.host}, and not as HTTPS without a user in the URL`);
  if (![...(egress.hosts ?? []), ...(egress.privateHosts ?? [])].includes(url.host))
    throw new EgressRefused(
      `${what} is to go to ${url.host}, which is not among the hosts of the settings, or not among those of the admin's secret`,
    );
  if (isLoopback(url.hostname) && url.port !== '' && url.port === runtimePort())
    throw new EgressRefused(`${url.host} is where Lambda hands this function its events, and no issuer`);
  const literal = literalAddress(url);
  if (literal !== undefined) checkAddress(literal, url.host, mayBePrivate(url.host, egress));
}

/** Whether a host is one of those whose addresses may be private. */
export function mayBePrivate(host: string, { privateHosts = [] }: Egress): boolean {
  return privateHosts.includes(host);
}

/** Looks a host up for a connection, and refuses an address that the policy did not mean. */
export function guardedLookup(host: string, allowPrivate: boolean): LookupFunction {
  return checkedLookup((address) => checkAddress(address, host, allowPrivate));
}

function checkAddress(address: string, host: string, allowPrivate: boolean): void {
  const fault = addressFault(address, allowPrivate);
  if (fault === 'link-local')
    throw new EgressRefused(`${host} has the link-local address ${address}, where no issuer is`);
  if (fault === 'private')
    throw new EgressRefused(
      `${host} has the private address ${address}; if that is meant, name it among privateHosts`,
    );
}

/** Lambda's runtime interface: who may ask there sees and answers the invocations of this function. */
function runtimePort(): string | undefined {
  return process.env['AWS_LAMBDA_RUNTIME_API']?.split(':')[1];
}
