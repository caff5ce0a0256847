/** Where credentials may go: over HTTPS, or within this machine. */

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** A URL that a secret or a token may be sent to. Throws a `TypeError` that names the option. */
export function requireSafeUrl(option: string, text: string | URL): URL {
  // Read once: what is looked at here is what is used.
  const given = String(text);
  if (!URL.canParse(given)) throw new TypeError(`${option} is not an absolute URL`);
  const url = new URL(given);
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(`${option} must not hold a user name or a password`);
  }
  if (url.protocol === 'https:') return url;
  if (url.protocol === 'http:' && LOOPBACK.test(url.hostname)) return url;
  throw new TypeError(`${option} must be an https: URL; plain HTTP is for this machine alone`);
}
