/** Where the client secret comes from, read anew for each token request, so that a rotation needs no restart. */

import { TokenError } from './errors.ts';

/**
 * A secret, several (the newest first), a function that returns either, a file with one on each line, or an environment variable
 * with several parted by spaces.
 */
export type SecretSource =
  | string
  | readonly string[]
  | (() => string | readonly string[] | Promise<string | readonly string[]>)
  | { readonly file: string }
  | { readonly env: string };

/** Secrets tried for one token: the new one and the old one of a rotation, and one to spare. */
const SECRETS_MAX = 3;

/** The secrets to try, in turn, without repeats. */
export async function readSecrets(source: SecretSource): Promise<readonly string[]> {
  const given = await read(source);
  const list = typeof given === 'string' ? given.split(/\s+/) : given;
  const secrets = [...new Set(list.map((secret) => secret.trim()))].filter((one) => one !== '');
  if (secrets.length > 0) return secrets.slice(0, SECRETS_MAX);
  throw new TokenError('misconfigured', 'clientSecret: there is no secret in what was given');
}

async function read(source: SecretSource): Promise<string | readonly string[]> {
  if (typeof source === 'string') return source;
  if (typeof source === 'function') return await source();
  if (!('file' in source) && !('env' in source)) return source;
  try {
    // Asked for only where they are needed: not every runtime has them.
    if ('env' in source) {
      const { env } = await import('node:process');
      return env[source.env] ?? '';
    }
    const { readFile } = await import('node:fs/promises');
    return await readFile(source.file, 'utf8');
  } catch (cause) {
    throw new TokenError('misconfigured', 'clientSecret: the secret cannot be read', { cause });
  }
}
