import type { RolledOut } from '../adapter';
import { AddressRefused } from './errors';

/**
 * Where to ask how far a version is: where the endpoint said, which has to be on the same host, or the endpoint's own address
 * with the ids as parameters. AddressRefused.
 */
export function statusAddress(endpoint: URL, version: RolledOut, location: string | undefined): URL {
  if (location !== undefined) return sameHost(endpoint, location);
  const url = new URL(endpoint.href);
  url.searchParams.set('consumer', version.consumer);
  url.searchParams.set('secretArn', version.secret.arn);
  url.searchParams.set('versionId', version.versionId);
  url.searchParams.set('rotationId', version.rotationId);
  return url;
}

function sameHost(endpoint: URL, location: string): URL {
  if (!URL.canParse(location, endpoint.href)) throw new AddressRefused('the Location of a 202 is no address');
  const url = new URL(location, endpoint.href);
  // Protocol, host and port.
  if (url.origin !== endpoint.origin || url.username !== '' || url.password !== '')
    throw new AddressRefused(`the Location of a 202 is not at ${endpoint.host}`);
  url.hash = '';
  return url;
}
