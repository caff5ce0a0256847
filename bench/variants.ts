/** Countersign started in other ways than the usual one: what is changed, and what the ratios are meant to be. */

import { spawnSync } from 'node:child_process';
import type { Kind } from './target.ts';

export type Variant = {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: () => Readonly<Record<string, string>> | string;
  readonly isOnPostgres?: true;
  /** Several processes on one core would say nothing. */
  readonly isOnAllCores?: true;
  readonly goals: Readonly<Partial<Record<Kind, number>>>;
};

export const VARIANTS: readonly Variant[] = [
  { name: 'PostgreSQL', isOnPostgres: true, goals: { token: 0.3, introspect: 0.65, verify: 0.75 } },
  { name: '2 workers', args: ['--workers', '2'], isOnAllCores: true, goals: {} },
  // The control: what being durable costs, taken away from outside. There is no such setting.
  { name: 'without syncs (control)', env: withoutSyncs, goals: {} },
];

/** A library that makes each fsync nothing; a text when it is not there. */
function withoutSyncs(): Readonly<Record<string, string>> | string {
  const { stdout = '' } = spawnSync('ldconfig', ['-p'], { encoding: 'utf8' });
  const [, library] = /libeatmydata\.so\S* .*=> (\S+)/.exec(stdout ?? '') ?? [];
  if (library !== undefined) return { LD_PRELOAD: library };
  return 'the control without syncs is left out: install eatmydata (tools/setup-debian.sh --bench)';
}
