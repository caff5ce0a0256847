/** The authority's description of itself (RFC 8414), and where it stands. Everything derives from the configured issuer. */

const WELL_KNOWN = '/.well-known/oauth-authorization-server';

/** How clients authenticate: in the form body. */
const IN_BODY: readonly string[] = ['client_secret_post'];
/** The same where Basic is taken too; clients that choose the first they know choose the body. */
const IN_BODY_OR_BASIC: readonly string[] = ['client_secret_post', 'client_secret_basic'];

export type MetadataSource = {
  /** Base URL of the environment, without a trailing slash. */
  readonly issuer: string;
  /** Names of the scopes that clients can ask for. */
  readonly scopes: readonly string[];
  /** URL of the page for developers. */
  readonly documentation?: string | undefined;
  /** Whether Basic is taken as well. */
  readonly takesBasic?: boolean;
};

/**
 * The metadata document as JSON text (RFC 8414 §2). `response_types_supported` is left out: §2 requires it, §3.2 forbids
 * empty arrays, and without an authorization endpoint it could only be empty. The grant types and the three lists of
 * methods are written out, as their absence would mean other defaults.
 */
export function metadataDocument(source: MetadataSource): string {
  const { issuer, scopes, documentation, takesBasic = false } = source;
  const methods = takesBasic ? IN_BODY_OR_BASIC : IN_BODY;
  return JSON.stringify({
    issuer,
    token_endpoint: `${issuer}/token`,
    token_endpoint_auth_methods_supported: methods,
    introspection_endpoint: `${issuer}/introspect`,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint: `${issuer}/revoke`,
    revocation_endpoint_auth_methods_supported: methods,
    grant_types_supported: ['client_credentials'],
    scopes_supported: scopes.length === 0 ? undefined : scopes,
    service_documentation: documentation,
  });
}

/**
 * The paths at which an issuer's metadata stands: first the RFC's own, with the well-known part before the issuer's path
 * (RFC 8414 §3.1), then, where the issuer has a path, the one appended to it, where many clients look.
 */
export function wellKnownPaths(issuer: string): readonly string[] {
  const path = new URL(issuer).pathname.replace(/\/+$/, '');
  return path === '' ? [WELL_KNOWN] : [WELL_KNOWN + path, path + WELL_KNOWN];
}
