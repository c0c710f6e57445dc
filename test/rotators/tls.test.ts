import { tlsFor } from '../../rotators/tls';

const ca = '-----BEGIN CERTIFICATE-----';

describe('TLS', () => {
  test.each([
    ['db.example', {}, undefined, {}],
    ['db.example', { ssl: false }, undefined, undefined],
    ['db.example', { ssl: 'false' }, undefined, undefined],
    ['db.example', { ssl: false }, { ssl: true }, {}],
    ['db.example', { ssl: 'true', sslrootcert: ca }, undefined, { ca }],
    ['db.example', {}, { sslrootcert: ca }, { ca }],
    ['localhost', {}, undefined, undefined],
    ['127.1.2.3', {}, {}, undefined],
    ['::1', {}, undefined, undefined],
    ['localhost', { ssl: true }, undefined, {}],
    ['localhost.example', {}, undefined, {}],
    ['127.0.0.1.example', {}, undefined, {}],
  ] as const)('to %s with %j and an admin of %j is %j', (host, secret, admin, expected) => {
    expect(tlsFor(host, secret, admin)).toEqual(expected);
  });
});
