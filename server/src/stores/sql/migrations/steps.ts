/**
 * The steps of the schema from the third on, each written once for both dialects: forward only, one file a step, never edited once it
 * has been released. The first two stand in each store's own `migrations.ts`.
 */

import { policies } from './0003-policies.ts';
import { audit } from './0007-audit.ts';
import { guards } from './0013-guards.ts';
import type { Dialect, Migration } from './dialect.ts';

const STEPS: readonly Migration[] = [policies, guards, audit];

export function laterMigrations(dialect: Dialect): readonly string[] {
  return STEPS.map((step) => step(dialect));
}
