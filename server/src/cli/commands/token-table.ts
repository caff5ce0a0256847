/** Tokens as rows, for the commands that list them. */

import type { ListedToken } from '../../operations/list-tokens.ts';
import { list, timeText } from '../text.ts';

/** A row a token, or the words for none. */
export function tokenTable(tokens: readonly ListedToken[], empty: string): string {
  return list(
    ['JTI', 'STANDING', 'ISSUED', 'EXPIRES', 'FROM', 'SECRET', 'SCOPE'],
    tokens.map((token) => [
      token.jti,
      token.standing,
      timeText(token.issuedAtMs) ?? '',
      timeText(token.expiresAtMs) ?? '',
      token.address,
      token.secretId,
      token.scope || '-',
    ]),
    empty,
  );
}
