/** Looks for a pattern in access tokens, as a guesser would: repeats, fixed places, counters. Knows their public shape only. */

import assert from 'node:assert/strict';

/** RFC 6750 §2.1. */
const B64_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** Prefix, what is sealed as base64url, and six characters of checksum. */
const SHAPE = /^token_test_([A-Za-z0-9_-]+)([0-9A-Za-z]{6})$/;
/** Version and key id: the same in all tokens, as a node must know which key opens one. */
const HEADER_CHARACTERS = 4;
const SYMBOLS = 64;
/** 63 degrees of freedom: a fair source goes beyond this once in some 10^10 places. */
const CHI_SQUARE_MAX = 160;
/** 96 random bits as they stand in the token: two equal beginnings of this length are one nonce used twice. */
const NONCE_CHARACTERS = 16;

/** Fails when tokens repeat, or when any place after the header is not spread evenly over all symbols. */
export function assertLooksRandom(tokens: readonly string[]): void {
  const sealed = tokens.map((token) => {
    assert.match(token, B64_TOKEN);
    const [, text] = SHAPE.exec(token) ?? [];
    assert.ok(text, 'the shape of a token');
    return text;
  });
  const nonces = sealed.map((text) =>
    text.slice(HEADER_CHARACTERS, HEADER_CHARACTERS + NONCE_CHARACTERS),
  );
  assert.equal(new Set(nonces).size, tokens.length, 'no random part twice');
  const [length = 0] = sealed.map((text) => text.length);
  assert.ok(length > HEADER_CHARACTERS + NONCE_CHARACTERS, 'there is more than a nonce');
  for (let place = HEADER_CHARACTERS; place < length; place += 1) {
    const value = chiSquare(sealed, place);
    assert.ok(value < CHI_SQUARE_MAX, `place ${place} is uneven: chi-square ${value.toFixed(0)}`);
  }
}

function chiSquare(texts: readonly string[], place: number): number {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const symbol = text[place] ?? '';
    counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  }
  const expected = texts.length / SYMBOLS;
  let sum = (SYMBOLS - counts.size) * expected;
  for (const count of counts.values()) sum += (count - expected) ** 2 / expected;
  return sum;
}
