import type { LookupFunction } from 'node:net';
import { addressFault, checkedLookup, literalAddress } from '../../network/addresses';
import { AddressRefused } from './errors';

/** Lets an address pass that may be connected to; AddressRefused names host and address. */
export function checkAddress(host: string, address: string, allowPrivate: boolean): void {
  const fault = addressFault(address, allowPrivate);
  if (fault === 'link-local')
    throw new AddressRefused(`${host} has the link-local address ${address}, where no endpoint is`);
  if (fault === 'private')
    throw new AddressRefused(
      `${host} has the private address ${address}; if that is meant, set privateAddresses in the settings`,
    );
}

/** Checks a host that is written as an address: nobody looks those up. */
export function checkLiteral(url: URL, allowPrivate: boolean): void {
  const literal = literalAddress(url);
  if (literal !== undefined) checkAddress(url.host, literal, allowPrivate);
}

/** Looks a host up for a connection, and refuses addresses that the settings did not mean. */
export function guardedLookup(host: string, allowPrivate: boolean): LookupFunction {
  return checkedLookup((address) => checkAddress(host, address, allowPrivate));
}
