/** Where credentials may go: over HTTPS, or within this machine. */

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The issuer without a slash at its end. Throws a `TypeError` when a secret must not be sent there. */
export function requireSafeIssuer(text: string | URL): string {
  if (!URL.canParse(String(text))) throw new TypeError('issuer is not an absolute URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('issuer must not hold a user name or a password');
  }
  if (url.search !== '' || url.hash !== '') {
    throw new TypeError('issuer must have no query and no fragment (RFC 8414 §2)');
  }
  const isSafe =
    url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
  if (isSafe) return url.href.replace(/\/+$/, '');
  throw new TypeError('issuer must be an https: URL; plain HTTP is for this machine alone');
}
