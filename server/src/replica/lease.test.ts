import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newLease } from './lease.ts';

const at = (monotonicMs: number, wallMs = 1_000_000 + monotonicMs) => ({ monotonicMs, wallMs });

test('a lease that was never renewed is not held', () => {
  assert.equal(newLease(1_000).isHeldAt(at(0)), false);
});

test('a lease runs from before the renewal was sent, to the millisecond', () => {
  const lease = newLease(1_000);
  lease.renewed(at(500));
  assert.equal(lease.isHeldAt(at(1_499)), true);
  assert.equal(lease.isHeldAt(at(1_500)), false);
});

test('an answer that overtook a newer one does not shorten the lease', () => {
  const lease = newLease(1_000);
  lease.renewed(at(500));
  lease.renewed(at(100));
  assert.equal(lease.isHeldAt(at(1_400)), true);
});

test('a machine that slept has lost its lease, even if its monotonic clock stood still', () => {
  const lease = newLease(1_000);
  lease.renewed(at(500));
  assert.equal(lease.isHeldAt(at(600, 1_000_500 + 1_000)), false);
});

test('a wall clock that was set back lengthens nothing', () => {
  const lease = newLease(1_000);
  lease.renewed(at(500));
  assert.equal(lease.isHeldAt(at(1_500, 0)), false);
  assert.equal(lease.isHeldAt(at(1_499, 0)), true);
});

test('a lease that was ended is not held until it is renewed', () => {
  const lease = newLease(1_000);
  lease.renewed(at(500));
  lease.end();
  assert.equal(lease.isHeldAt(at(501)), false);
  lease.renewed(at(502));
  assert.equal(lease.remainingMs(at(503)), 999);
});
