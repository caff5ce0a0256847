/** Reads the ratios that docs/performance.md publishes, so that what is guarded is what is claimed. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = join(import.meta.dirname, '..', 'docs', 'performance.md');

/** The median ratio in the page's first line of this name. Throws when there is none: a guard of nothing guards nothing. */
export function publishedRatio(name: string, page = readFileSync(PAGE, 'utf8')): number {
  // As tableOf writes it: name, requests/s with their range, ratio with its range.
  const [, ratio] =
    new RegExp(`^${name}\\s+[\\d,]+ \\([^)]*\\)\\s+(\\d\\.\\d\\d) \\(`, 'm').exec(page) ?? [];
  if (ratio !== undefined) return Number(ratio);
  throw new Error(`docs/performance.md publishes no ratio of ${name}`);
}
