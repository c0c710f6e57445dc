/**
 * Stands in for `bcrypt-pbkdf` where functions are bundled: the driver turns to it for private keys under a passphrase,
 * which are refused before (a function has nobody to ask), and it brings 48 KB of cryptography along.
 */
export function pbkdf(): never {
  throw new Error('private keys under a passphrase are not supported');
}
