/** Whose token it is, read from what the authority says of it (RFC 7662 §2.2). The token itself is no part of it. */

export type Identity = {
  readonly programId: string;
  readonly clientId: string;
  readonly scope: ReadonlySet<string>;
  /** Names the token in the authority's records, and is safe to log. */
  readonly tokenId: string;
  /** URI of the resource that the token is for. */
  readonly audience: string;
  readonly expiresAtSeconds: number;
};

/** The identity in an answer about an active token; undefined: the answer lacks something, and so says nothing. */
export function identityOf(answer: Readonly<Record<string, unknown>>): Identity | undefined {
  const { active, program_id: programId, client_id: clientId, scope = '' } = answer;
  const { jti: tokenId, aud: audience, exp: expiresAtSeconds } = answer;
  const isComplete =
    active === true &&
    isText(programId) &&
    isText(clientId) &&
    isText(tokenId) &&
    isText(audience) &&
    typeof scope === 'string' &&
    Number.isSafeInteger(expiresAtSeconds);
  if (!isComplete) return undefined;
  return {
    programId,
    clientId,
    scope: new Set(scope.split(' ').filter((name) => name !== '')),
    tokenId,
    audience,
    expiresAtSeconds: Number(expiresAtSeconds),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
