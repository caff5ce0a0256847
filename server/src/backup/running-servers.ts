/** Whether a server runs on a data directory: each holds a lock, for as long as its process lives. */

import { readdir } from 'node:fs/promises';
import { isSlotFree } from '../stores/sqlite/node-locks.ts';
import { locksOf } from '../stores/sqlite/store.ts';

export async function hasRunningServer(data: string): Promise<boolean> {
  const locks = await readdir(locksOf(data)).catch(() => []);
  const slots = locks.flatMap((name) => /^(\d+)\.lock$/.exec(name)?.[1] ?? []);
  return slots.some((slot) => !isSlotFree(locksOf(data), slot));
}
