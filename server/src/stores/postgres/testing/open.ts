/** Opens the store of a test database as a node would: migrated, initialised, under a key that every test shares. */

import type { Config } from '../../../config.ts';
import { systemRandomness } from '../../../credentials/random.ts';
import type { OpenedData } from '../../../data-directory.ts';
import { openData } from '../../../database.ts';
import { systemClock } from '../../../system-clock.ts';
import { configOf, newDataDirectory } from '../../../testing/data.ts';

export const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

export function databaseConfig(url: string, env: Record<string, string> = {}): Config {
  return configOf(newDataDirectory(), { COUNTERSIGN_DATABASE_URL: url, ...env });
}

export function openTestDatabase(
  url: string,
  config = databaseConfig(url, { COUNTERSIGN_MASTER_KEY: MASTER_KEY }),
): Promise<OpenedData> {
  const randomness = systemRandomness();
  return openData(config, { clock: systemClock, randomness, actor: 'test:setup' });
}
