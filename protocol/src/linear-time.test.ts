import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizationOf } from './authorization.ts';
import { basicCredentials } from './basic.ts';
import { parseForm } from './form.ts';
import { credentialInQuery, refuseQuery } from './query.ts';

const LENGTH = 1 << 12;
const GROWTH = 64;
/** Linear work grows as its input does, quadratic 64 times more; in between lies what compiler and collector add. */
const GROWTH_MAX = 10 * GROWTH;
/** Below this a difference may be the scheduler's. */
const NOISE_MS = 10;
const ROUNDS = 5;

/** The best of several rounds: the one that the machine's other work disturbed least. */
function fastestMs(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Whether `work` on 4 KiB and on 256 KiB of `unit` takes time that grows with the input, not with its square. */
function isLinear(unit: string, work: (input: Uint8Array, text: string) => void): boolean {
  const [small, large] = [1, GROWTH].map((times) => {
    const bytes = new TextEncoder().encode(unit.repeat((LENGTH * times) / unit.length));
    // Decoded from bytes, as a request is: a string made by `repeat` is put together only when it is read.
    const text = new TextDecoder().decode(bytes);
    return fastestMs(() => work(bytes, text));
  });
  return (large ?? Number.NaN) < GROWTH_MAX * (small ?? Number.NaN) + NOISE_MS;
}

test('the measurement tells quadratic work from linear work', () => {
  assert.ok(isLinear('a', (_, text) => text.indexOf('b')));
  const quadratic = (input: Uint8Array) => {
    for (let at = 0; at < input.length; at += 64) input.indexOf(1, at);
  };
  assert.ok(!isLinear('a', quadratic));
});

test('T-53: a long form takes linear time, whatever it repeats', () => {
  for (const unit of ['&', '=', 'a', '+', '%41', '%zz', 'a&', '&=', 'resource=a&']) {
    assert.ok(
      isLinear(unit, (body) => parseForm(body)),
      unit,
    );
  }
});

test('a long query takes linear time, whatever it repeats', () => {
  for (const unit of ['&', '=', '+', '%41', '%zz&', 'a=b&', 'token=&']) {
    const read = (_: Uint8Array, query: string) => {
      refuseQuery(query);
      credentialInQuery(query);
    };
    assert.ok(isLinear(unit, read), unit);
  }
});

test('B-17: a long Authorization takes linear time, whatever it repeats', () => {
  for (const unit of ['a', '.', ',', ' ', '=', 'Bearer ']) {
    const read = (_: Uint8Array, line: string) => {
      authorizationOf([line]);
      authorizationOf([`Bearer ${line}`]);
      basicCredentials(`Basic ${line}`);
    };
    assert.ok(isLinear(unit, read), unit);
  }
});
