/**
 * Remembers what tokens hold that were opened, so that one that comes again costs no hash. It remembers no standing: whether a token
 * is alive is asked each time. Knows no clock and no state.
 */

import { type Opened, openToken, type TokenKey, type TokenKeyLookup } from './access-token.ts';

/** Tokens held at a time are at most twice as many, some 500 bytes each. */
const GENERATION_MAX = 5_000;

export type Open = (text: string, keys: TokenKeyLookup) => Opened;

type Held = { readonly opened: Opened & { readonly ok: true }; readonly key: TokenKey };

/** `openToken` with a memory of its own. What did not open is not remembered: anybody can make such texts. */
export function newOpening(): Open {
  // Two generations, of which the older is dropped whole: to take the oldest out of one map, one by one, costs more than to open it.
  let young = new Map<string, Held>();
  let old = new Map<string, Held>();
  const keep = (text: string, held: Held): void => {
    if (young.size >= GENERATION_MAX) {
      old = young;
      young = new Map();
    }
    young.set(text, held);
  };
  return (text, keys) => {
    const latest = young.get(text);
    const held = latest ?? old.get(text);
    // By the very key that opened it: one that is retired, or another one under its number, opens nothing from memory.
    if (held !== undefined && keys.key(held.opened.keyVersion) === held.key) {
      if (latest === undefined) keep(text, held);
      return held.opened;
    }
    const opened = openToken(text, keys);
    const key = opened.ok ? keys.key(opened.keyVersion) : undefined;
    if (!opened.ok || key === undefined) return opened;
    // A copy: the nonce is cut from a larger buffer, which would stay as long as it does.
    const nonce = Buffer.alloc(opened.nonce.length);
    nonce.set(opened.nonce);
    keep(text, { opened: { ...opened, nonce }, key });
    return opened;
  };
}
