import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEASE_MS_MAX, newStreamLease } from './stream-lease.ts';

const at = (ms: number, sleptMs = 0) => ({ monotonicMs: ms, wallMs: 1e12 + ms + sleptMs });

test('the lease counts from when the ping was sent, however late its heartbeat comes', () => {
  const lease = newStreamLease();
  const ping = lease.pinged(at(1_000));
  assert.equal(lease.isHeldAt(at(1_001)), false);
  lease.heard(ping, 3_000);
  assert.equal(lease.isHeldAt(at(3_999)), true);
  assert.equal(lease.isHeldAt(at(4_000)), false);
  const late = lease.pinged(at(5_000));
  lease.heard(late, 3_000);
  assert.equal(lease.isHeldAt(at(8_500)), false);
});

test('a node that may decide for less lets decide for less, and none for more than three seconds', () => {
  const lease = newStreamLease();
  lease.heard(lease.pinged(at(0)), 200);
  assert.equal(lease.isHeldAt(at(199)), true);
  assert.equal(lease.isHeldAt(at(200)), false);
  lease.heard(lease.pinged(at(1_000)), 60_000);
  assert.equal(lease.isHeldAt(at(1_000 + LEASE_MS_MAX)), false);
});

test('what is no answer to a ping of this stream gives nothing', () => {
  const lease = newStreamLease();
  const [first, second] = [lease.pinged(at(0)), lease.pinged(at(1_000))];
  for (const ping of [0, 99, Number.NaN]) lease.heard(ping, 3_000);
  for (const leaseMs of [0, -1, Number.NaN]) lease.heard(second, leaseMs);
  assert.equal(lease.isHeldAt(at(1_000)), false);
  lease.heard(second, 3_000);
  lease.heard(first, 3_000);
  assert.equal(lease.isHeldAt(at(3_500)), true, 'an older one takes nothing back');
  lease.end();
  assert.equal(lease.isHeldAt(at(1_000)), false);
  lease.heard(second, 3_000);
  assert.equal(lease.isHeldAt(at(1_000)), false, 'a ping of the stream before');
});

test('a machine that slept decides nothing by what it was told before', () => {
  const lease = newStreamLease();
  lease.heard(lease.pinged(at(0)), 3_000);
  assert.equal(lease.isHeldAt(at(500)), true);
  assert.equal(lease.isHeldAt(at(500, 60_000)), false);
});
