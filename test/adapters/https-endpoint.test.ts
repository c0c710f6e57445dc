import { createHmac } from 'node:crypto';
import { isSigned } from '../../examples/https-endpoint/verify-signature';
import { signatureOf } from '../../adapters/https/signing-keys';
import { newKey } from './https-counterpart';

const nowMs = Date.UTC(2026, 5, 1);
const key = newKey();
const signed = '{"versionId":"v2"}';
const header = signatureOf([key], nowMs, signed);
const right = { header, signed, keys: [key], nowMs };

test('what the adapter signs is believed, also beside another key and as bytes', () => {
  expect(isSigned(right)).toBe(true);
  expect(isSigned({ ...right, signed: Buffer.from(signed), keys: [newKey(), key] })).toBe(true);
  expect(isSigned({ ...right, header: signatureOf([newKey(), key], nowMs, signed) })).toBe(true);
});

test.each([
  ['another body', { signed: '{"versionId":"v3"}' }],
  ['another key', { keys: [newKey()] }],
  ['no key', { keys: [] }],
  ['no header', { header: undefined }],
  ['a header without a time', { header: header.replace(/^t=\d+,/, '') }],
  ['another time than was signed', { header: header.replace(/^t=\d+/, `t=${String(nowMs / 1000 + 1)}`) }],
  ['a time that is no number', { header: header.replace(/^t=\d+/, 't=Infinity') }],
  ['a signature of another version', { header: header.replace('v1=', 'v0=') }],
  ['half a signature', { header: header.slice(0, -32) }],
  ['a request that was recorded', { nowMs: nowMs + 301_000 }],
  ['a request of tomorrow', { nowMs: nowMs - 301_000 }],
])('%s is not', (_, wrong) => {
  expect(isSigned({ ...right, ...wrong })).toBe(false);
});

test('the signature is the one that the documents describe', () => {
  const t = String(nowMs / 1000);
  const hex = createHmac('sha256', key).update(`${t}.${signed}`).digest('hex');
  expect(header).toBe(`t=${t},v1=${hex}`);
});
