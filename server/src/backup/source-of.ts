/** The store that a configuration names, as something to copy from. */

import type { Config } from '../config.ts';
import type { Deps } from '../data-directory.ts';
import { databaseSource } from './database-source.ts';
import { directorySource } from './directory-source.ts';
import type { Source } from './source.ts';

export function sourceOf(config: Config, deps: Deps): Source {
  const { databaseUrl } = config;
  return databaseUrl === undefined ? directorySource(config) : databaseSource(databaseUrl, deps);
}
