import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IssuedToken } from '../ports/journal.ts';
import { readAddress } from './address.ts';
import {
  batchCount,
  batchWallMs,
  fitsRecord,
  growBatch,
  newBatchBuffer,
  readRow,
  sealBatch,
  viewBatch,
  writeRecord,
} from './batch.ts';
import { numberedToken } from './testing/sample-journal.ts';

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const token: fc.Arbitrary<IssuedToken> = fc.record(
  {
    jti: fc.uint8Array({ minLength: 12, maxLength: 12 }),
    client: uint32,
    generation: uint32,
    secret: uint32,
    scopeSet: uint32,
    resource: uint32,
    issuedAtMs: fc.maxSafeNat(),
    lifetimeSeconds: fc.integer({ min: 1, max: 0xffff_ffff }),
    address: fc.constant('203.0.113.9'),
  },
  { noNullPrototype: true },
);

test('every field of every token comes out of a batch as it went in, also after growing', () => {
  fc.assert(
    fc.property(fc.array(token, { minLength: 1, maxLength: 20 }), fc.nat(19), (tokens, growAt) => {
      let batch = viewBatch(newBatchBuffer());
      tokens.forEach((it, index) => {
        if (index === growAt) batch = growBatch(batch);
        writeRecord(batch, index, it);
      });
      sealBatch(batch, tokens.length, 1_795_356_600_123.5);
      assert.equal(batchCount(batch), tokens.length);
      assert.equal(batchWallMs(batch), 1_795_356_600_123.5);
      tokens.forEach((it, index) => {
        const [
          issuedAtMs,
          lifetimeSeconds,
          client,
          generation,
          secret,
          scopeSet,
          resource,
          jti,
          address,
        ] = readRow(batch, index);
        const read = {
          jti,
          client,
          generation,
          secret,
          scopeSet,
          resource,
          issuedAtMs,
          lifetimeSeconds,
        };
        assert.deepEqual({ ...read, address: readAddress(address) }, it);
      });
    }),
  );
});

test('a field that its column cannot hold is noticed, never wrapped', () => {
  assert.equal(fitsRecord(numberedToken(1)), true);
  const wrong: readonly Partial<IssuedToken>[] = [
    { jti: new Uint8Array(11) },
    { jti: new Uint8Array(13) },
    { client: 2 ** 32 },
    { secret: -1 },
    { scopeSet: 1.5 },
    { resource: Number.NaN },
    { lifetimeSeconds: 0 },
    { issuedAtMs: -1 },
    { issuedAtMs: 0.5 },
  ];
  for (const fields of wrong) assert.equal(fitsRecord(numberedToken(1, fields)), false);
});
