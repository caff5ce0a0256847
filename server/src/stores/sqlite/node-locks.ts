/**
 * Tells the living nodes of one machine from the dead: each holds an exclusive SQLite lock on a file of its own, which the
 * operating system drops when the process ends, however it ends.
 *
 * No file here is ever opened but through SQLite: closing any other descriptor would drop the process's locks (POSIX).
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Server processes on one data directory. */
const SLOTS_MAX = 64;

export type Slot = {
  /** Short and stable: a restarted node usually gets the one it had. */
  readonly name: string;
  release(): void;
};

/** Takes the first free slot of the data directory for as long as this process lives. */
export function takeSlot(directory: string): Slot {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (let number = 1; number <= SLOTS_MAX; number += 1) {
    const lock = tryLock(join(directory, `${number}.lock`));
    if (lock !== undefined) return { name: `${number}`, release: () => lock.close() };
  }
  throw new Error(`${SLOTS_MAX} server processes run on this data directory, which is the most`);
}

/** Whether the process that held a slot is gone. The caller must not hold it itself. */
export function isSlotFree(directory: string, name: string): boolean {
  const lock = tryLock(join(directory, `${name}.lock`));
  lock?.close();
  return lock !== undefined;
}

function tryLock(path: string): DatabaseSync | undefined {
  const connection = new DatabaseSync(path, { timeout: 0 });
  try {
    connection.exec('BEGIN EXCLUSIVE');
    return connection;
  } catch (error) {
    connection.close();
    const code = (error as { errcode?: number }).errcode;
    if (code === 5) return undefined;
    throw error;
  }
}
