import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkOf } from './canonical-address.ts';
import { newReportAdmission } from './report-admission.ts';

test('who has a network of addresses may report no oftener than who has one, and holds up nobody else', () => {
  const admission = newReportAdmission();
  const admitted = Array.from({ length: 200 }, (_, n) =>
    admission.waitMs(`2001:db8:0:7::${n.toString(16)}`, 0),
  ).filter((waitMs) => waitMs === 0);
  assert.equal(admitted.length, 30);
  assert.ok(admission.waitMs('2001:db8:0:7:ffff:1:2:3', 0) > 0);
  assert.equal(admission.waitMs('2001:db8:0:8::1', 0), 0);
  assert.equal(admission.waitMs('192.0.2.1', 0), 0);
});

test('the network of an address is its front half, however the address is shortened', () => {
  assert.equal(networkOf('2001:db8::1'), '2001:db8:0:0::/64');
  assert.equal(networkOf('2001:db8::2:3:4:5'), '2001:db8:0:0::/64');
  assert.equal(networkOf('2001:db8:0:1:2:3:4:5'), '2001:db8:0:1::/64');
  assert.equal(networkOf('::1'), '0:0:0:0::/64');
  assert.equal(networkOf('fe80::'), 'fe80:0:0:0::/64');
  assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
});
