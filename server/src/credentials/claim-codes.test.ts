import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isClaimCode,
  macOfClaimCode,
  macOfPassphrase,
  newClaimCode,
  newPassphrase,
} from './claim-codes.ts';
import { deriveClaimKey, derivePepper } from './derive.ts';
import { systemRandomness } from './random.ts';
import { macOfSecret } from './secret-hash.ts';

const random = systemRandomness();
const root = random.bytes(32);
const key = deriveClaimKey(root, 'sandbox', 1);

test('a code has more than 128 bits, and prints as nothing', () => {
  const codes = new Set(Array.from({ length: 1_000 }, () => newClaimCode(random).reveal()));
  assert.equal(codes.size, 1_000);
  for (const code of codes) assert.ok(isClaimCode(code));
  assert.ok(22 * Math.log2(62) > 128);
  assert.equal(`${newClaimCode(random)}`, '[redacted]');
  for (const other of ['', 'a', 'a'.repeat(23), `${'a'.repeat(21)}.`, `${'a'.repeat(22)}\n`]) {
    assert.equal(isClaimCode(other), false);
  }
});

test('a passphrase can be dictated: no letter is taken for another, and how it is written does not matter', () => {
  for (let times = 0; times < 200; times += 1) {
    assert.match(
      newPassphrase(random).reveal(),
      /^[a-hj-km-np-z2-9]{4}(-[a-hj-km-np-z2-9]{4}){2}$/,
    );
  }
  const mac = macOfPassphrase(key, 'clm_1', 'k7mw-p3hx-9q4t');
  for (const spelled of ['K7MW P3HX 9Q4T', 'k7mwp3hx9q4t', ' k7mw-p3hx-9q4t\t']) {
    assert.deepEqual(macOfPassphrase(key, 'clm_1', spelled), mac, spelled);
  }
  assert.notDeepEqual(macOfPassphrase(key, 'clm_1', 'k7mw-p3hx-9q4s'), mac);
});

test('a hash is of one claim, one half, one environment and one key, and never that of a secret', () => {
  const text = 'k7mwp3hx9q4t';
  const macs = [
    macOfClaimCode(key, 'clm_1', text),
    macOfClaimCode(key, 'clm_2', text),
    macOfPassphrase(key, 'clm_1', text),
    macOfClaimCode(deriveClaimKey(root, 'production', 1), 'clm_1', text),
    macOfClaimCode(deriveClaimKey(root, 'sandbox', 2), 'clm_1', text),
    macOfSecret(derivePepper(root, 'sandbox', 1), `code/clm_1/${text}`),
  ];
  assert.equal(new Set(macs.map((mac) => mac.toString('hex'))).size, macs.length);
});
