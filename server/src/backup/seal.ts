/** The seal of a backup: its hash, encrypted under the master key, which whoever alters a backup has not. */

import type { MasterKey } from '../credentials/master-key.ts';
import { BackupRefused } from './archive.ts';

/** Stands apart from the name of any root key, so that neither can be passed off as the other. */
const NAME = 'backup/seal/1';

export const sealOf = (masterKey: MasterKey, hash: Buffer): string => masterKey.wrap(hash, NAME);

/** Throws `BackupRefused` unless the seal is that of this hash under this master key. */
export function requireSeal(
  masterKey: MasterKey,
  archive: { readonly seal: string; readonly sha256: string },
  path: string,
): void {
  const { seal, sha256 } = archive;
  // Base64url can be spelled in several ways; only one of them is the seal.
  const isSpelledWell = Buffer.from(seal, 'base64url').toString('base64url') === seal;
  if (isSpelledWell && unsealed(masterKey, seal) === sha256) return;
  throw new BackupRefused(
    `${path} was altered: its seal is not the one that the master key gave it; use another copy`,
  );
}

function unsealed(masterKey: MasterKey, seal: string): string | undefined {
  try {
    return masterKey.unwrap(seal, NAME).toString('hex');
  } catch {
    return undefined;
  }
}
