import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newLease } from './lease.ts';

const at = (monotonicMs: number, wallMs = 1_000_000 + monotonicMs) => ({ monotonicMs, wallMs });

/** A lease of a second whose renewal was sent at 500 ms. */
function renewedAt500() {
  const lease = newLease(1_000);
  lease.renewed(lease.read(at(500)));
  return lease;
}

test('a lease that was never renewed is not held', () => {
  assert.equal(newLease(1_000).isHeldAt(at(0)), false);
});

test('a lease runs from before the renewal was sent, to the millisecond', () => {
  const lease = renewedAt500();
  assert.equal(lease.isHeldAt(at(1_499)), true);
  assert.equal(lease.isHeldAt(at(1_500)), false);
});

test('an answer that overtook a newer one does not shorten the lease', () => {
  const lease = newLease(1_000);
  const older = lease.read(at(100));
  lease.renewed(lease.read(at(500)));
  lease.renewed(older);
  assert.equal(lease.isHeldAt(at(1_400)), true);
});

test('a machine that slept has lost its lease, even if its monotonic clock stood still', () => {
  assert.equal(renewedAt500().isHeldAt(at(600, 1_000_500 + 1_000)), false);
});

test('what was slept stays slept: neither a wall clock set back nor a late answer brings the lease back', () => {
  const lease = renewedAt500();
  const beforeTheSleep = lease.read(at(550));
  assert.equal(lease.isHeldAt(at(600, 1_000_600 + 5_000)), false);
  assert.equal(lease.isHeldAt(at(610)), false);
  lease.renewed(beforeTheSleep);
  assert.equal(lease.isHeldAt(at(620)), false);
  lease.renewed(lease.read(at(630)));
  assert.equal(lease.isHeldAt(at(640)), true);
});

test('a wall clock that was set back before a sleep does not hide it', () => {
  const lease = newLease(1_000);
  lease.renewed(lease.read(at(500, 9_000_000)));
  assert.equal(lease.isHeldAt(at(600, 1_000_600)), true);
  assert.equal(lease.isHeldAt(at(610, 1_000_610 + 5_000)), false);
});

test('a wall clock that was set back lengthens nothing', () => {
  const lease = renewedAt500();
  assert.equal(lease.isHeldAt(at(1_499, 0)), true);
  assert.equal(lease.isHeldAt(at(1_500, 0)), false);
});

test('a lease that is looked at all the time lasts as long: whole milliseconds of the wall clock do not add up', () => {
  const lease = renewedAt500();
  for (let ms = 500; ms < 1_499; ms += 0.125) {
    assert.equal(lease.isHeldAt(at(ms, 1_000_000 + Math.floor(ms))), true);
  }
});

test('a lease that was ended is not held until it is renewed', () => {
  const lease = renewedAt500();
  lease.end();
  assert.equal(lease.isHeldAt(at(501)), false);
  lease.renewed(lease.read(at(502)));
  assert.equal(lease.remainingMs(at(503)), 999);
});
