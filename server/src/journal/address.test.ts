import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { ADDRESS_BYTES, readAddress, writeAddress } from './address.ts';

function through(text: string): string {
  const bytes = new Uint8Array(ADDRESS_BYTES + 2).fill(0xee);
  writeAddress(text, bytes, 1);
  assert.deepEqual([bytes[0], bytes[ADDRESS_BYTES + 1]], [0xee, 0xee], 'wrote beside its place');
  return readAddress(bytes.subarray(1, ADDRESS_BYTES + 1));
}

test('an IPv4 address comes back as it was written, alone or mapped into IPv6', () => {
  for (const address of ['127.0.0.1', '203.0.113.255', '0.0.0.0', '255.255.255.255']) {
    assert.equal(through(address), address);
    assert.equal(through(`::ffff:${address}`), address);
  }
});

test('an IPv6 address comes back in canonical form, without its zone', () => {
  const canonical = {
    '2001:DB8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '2001:db8::': '2001:db8::',
    '::1': '::1',
    '1:2:3:4:5:6:7:8': '1:2:3:4:5:6:7:8',
    '1:0:3:4:5:6:7:8': '1:0:3:4:5:6:7:8',
    'fe80::1%eth0': 'fe80::1',
    '64:ff9b::192.0.2.1': '64:ff9b::c000:201',
  };
  for (const [written, read] of Object.entries(canonical)) assert.equal(through(written), read);
});

test('what is no address is stored as the unspecified one, whatever it is', () => {
  const wrong = ['', 'localhost', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1..2.3', '1.2.3.4 ', ':::'];
  const alsoWrong = ['1:2', '1::2::3', '1:2:3:4:5:6:7:8:9', '12345::', '::1.2.3.4:1', '::g', '1:'];
  for (const text of [...wrong, ...alsoWrong]) assert.equal(through(text), '::', text);
});

test('every address that Node accepts comes back as an equal one, and never wider than its place', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const read = through(address);
      assert.notEqual(isIP(read), 0);
      assert.equal(through(read), read);
      if (isIP(address) === 6 && !read.includes('.')) {
        assert.equal(new URL(`http://[${read}]`).hostname, new URL(`http://[${address}]`).hostname);
      }
    }),
  );
});
