/** Where a bench keeps what it makes: keys and secrets among it, so that it goes when the bench ends, by Ctrl-C too. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertOnDisk } from './machine.ts';

/** A server that is just being killed may still write while its folder is removed. */
const REMOVAL_RETRIES_MAX = 10;

/** Ends the bench on a signal as on any other end; servers see to their own (start-process.ts). */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
}

/** A new folder on a disk. Throws where there is memory behind it. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  process.on('exit', () =>
    rmSync(folder, { recursive: true, force: true, maxRetries: REMOVAL_RETRIES_MAX }),
  );
  endOnSignals();
  assertOnDisk(folder);
  return folder;
}
