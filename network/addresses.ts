import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Not reachable from the internet: RFC 6890 and the registries that it founded. */
const inside = blockList([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  // With ::1, and with the addresses that hold an IPv4 one in a way that nobody uses any more.
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fec0::', 10],
  ['ff00::', 8],
]);
/** Nobody's to be asked, whatever settings say: the metadata of machines and containers, with their credentials. */
const never = blockList([
  ['169.254.0.0', 16],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
]);

/** IPv4 addresses that IPv6 reaches by a gateway, RFC 6052: what counts is where that leads. */
const translated = blockList([['64:ff9b::', 96]]);

/** Why a request from a function must not go to an address: undefined where it may. */
export function addressFault(given: string, allowPrivate: boolean): 'link-local' | 'private' | undefined {
  const address = translated.check(given, family(given)) ? lastFourBytes(given) : given;
  if (never.check(address, family(address))) return 'link-local';
  return !allowPrivate && inside.check(address, family(address)) ? 'private' : undefined;
}

/** The address that a URL's host is written as, which nobody looks up; undefined for a name. */
export function literalAddress(url: URL): string | undefined {
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(literal) === 0 ? undefined : literal;
}

/**
 * Looks a host up for a connection, and lets `check` refuse an address by throwing. The addresses that are checked are
 * those that are connected to, so a second answer of the name server cannot differ from the first.
 */
export function checkedLookup(check: (address: string) => void): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      try {
        for (const { address } of addresses) check(address);
      } catch (refusal) {
        callback(refusal instanceof Error ? refusal : new Error('the address was refused'), []);
        return;
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** The IPv4 address in the last 32 bits of an IPv6 one. */
function lastFourBytes(address: string): string {
  const written = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const [head = '', tail = ''] = written.split('::');
  const groups = written.includes('::')
    ? [...Array<string>(8).fill('0'), ...tail.split(':')]
    : head.split(':');
  const [high = 0, low = 0] = groups.slice(-2).map((group) => parseInt(group === '' ? '0' : group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function blockList(subnets: readonly (readonly [network: string, bits: number])[]): BlockList {
  const list = new BlockList();
  for (const [network, bits] of subnets) list.addSubnet(network, bits, family(network));
  return list;
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
