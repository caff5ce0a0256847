/** What a probe must have left behind, in whatever runtime it ran. */

import assert from 'node:assert/strict';
import type { Partner } from './packed-bank.ts';

/** `lines` is everything that the runtime printed. Tokens: one for fifty callers, one instead of each that died, one for each source. */
export async function judge(partner: Partner, lines: readonly string[]): Promise<void> {
  const text = lines.join('\n');
  const wrong = /^wrong (.*)$/m.exec(text)?.[1];
  assert.equal(wrong, '[]', text);
  const { calls, tokens } = await partner.seen();
  const { sources, clientSecret } = partner.settings;
  assert.equal(calls['/accounts'], 50);
  assert.equal(calls['/killed'], 2, 'one call and one retry');
  assert.equal(calls['/refused'], 2, 'a second 401 is handed over');
  assert.equal(calls['/moved'], 1);
  assert.equal(calls['/moved-token'], 1);
  assert.ok(calls['/moved-token/introspect'], 'the guard asked');
  assert.equal(calls['/stolen'], undefined, 'no redirect was followed');
  assert.equal(calls['/elsewhere'], undefined);
  // The first, the one after the revocation, the one after the call that is always refused.
  assert.equal(await partner.issued(), 3 + sources.length);
  assert.ok(tokens.length > 0);
  for (const secret of [...tokens, clientSecret]) {
    assert.ok(!text.includes(secret), `a secret was printed:\n${text}`);
  }
  assert.match(text, /\[redacted\]/);
  assert.match(text, /^printed \{"token":"\[redacted\]"\}$/m);
}
