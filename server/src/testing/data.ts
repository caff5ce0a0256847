/** Temporary data directories for tests, on the real code: removed when the test process ends. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, readConfig } from '../config.ts';
import { systemRandomness } from '../credentials/random.ts';
import { openDataDirectory } from '../data-directory.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../stores/store.ts';
import { systemClock } from '../system-clock.ts';

const made: string[] = [];
process.on('exit', () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

export function newDataDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-test-'));
  made.push(directory);
  return directory;
}

export function configOf(data: string, env: Record<string, string> = {}): Config {
  return readConfig({ flags: { data }, env });
}

/** The store of a data directory, made on first use. */
export async function openTestStore(data: string, clock: Clock = systemClock): Promise<Store> {
  const deps = { clock, randomness: systemRandomness(), actor: 'test:setup' };
  return (await openDataDirectory(configOf(data), deps)).store;
}
