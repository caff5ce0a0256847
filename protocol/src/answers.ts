/**
 * The JSON texts of granted requests. Written by template, as they are on the hot path: identifiers, tokens and scopes
 * are made of characters that JSON never escapes; only URIs are quoted as if they might not be.
 */

/** RFC 7662 §2.2: of a token that is not active nothing else is told. */
export const INACTIVE = '{"active":false}';

/** The answer to a granted token request (RFC 6749 §5.1). An empty scope has no spelling (§3.3) and is left out. */
export function tokenAnswer(granted: {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly scope: string;
}): string {
  const { accessToken, expiresInSeconds, scope } = granted;
  const scopeMember = scope === '' ? '' : `,"scope":"${scope}"`;
  return `{"access_token":"${accessToken}","token_type":"Bearer","expires_in":${expiresInSeconds}${scopeMember}}`;
}

/**
 * The second at which a token ends. A token is alive while the wall clock stands below it, everywhere: were the decision
 * made in milliseconds and told in seconds, a resource server that goes by `exp` would disagree with us for up to a second.
 */
export function expiresAtSeconds(token: {
  readonly issuedAtMs: number;
  readonly lifetimeSeconds: number;
}): number {
  return Math.floor(token.issuedAtMs / 1000) + token.lifetimeSeconds;
}

export type ActiveToken = {
  readonly issuer: string;
  readonly clientId: string;
  readonly programId: string;
  /** Canonical scope string; '' for none. */
  readonly scope: string;
  /** URI of the resource that the token is for. */
  readonly audience: string | undefined;
  readonly issuedAtMs: number;
  readonly lifetimeSeconds: number;
  readonly jti: string;
};

/** The answer to an introspection of an active token (RFC 7662 §2.2). Its subject is the client itself. */
export function introspectionAnswer(token: ActiveToken): string {
  const { issuer, clientId, programId, scope, audience, issuedAtMs, jti } = token;
  const scopeMember = scope === '' ? '' : `,"scope":"${scope}"`;
  const audienceMember = audience === undefined ? '' : `,"aud":${JSON.stringify(audience)}`;
  return (
    `{"active":true,"iss":${JSON.stringify(issuer)},"sub":"${clientId}","client_id":"${clientId}",` +
    `"program_id":"${programId}"${scopeMember}${audienceMember},"token_type":"Bearer",` +
    `"iat":${Math.floor(issuedAtMs / 1000)},"exp":${expiresAtSeconds(token)},"jti":"${jti}"}`
  );
}
