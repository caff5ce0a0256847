/** Steps on files that hold through a power cut, and what is there already. Opens no file that SQLite may have open. */

import { access, link, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What file systems say that know no links, as on many network shares. */
const NO_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Gives a file its final name, unless something has that name already. */
export async function nameSynced(from: string, to: string): Promise<void> {
  try {
    // A link, unlike a rename, refuses to replace.
    await link(from, to);
  } catch (error) {
    if (!NO_LINKS.includes((error as { code?: unknown }).code) || (await exists(to))) throw error;
    await rename(from, to);
  }
  await syncDirectory(dirname(to));
}

/** Without this the file is on disk but its name may not be. Windows opens no folders. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform !== 'win32') await syncFile(path);
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
