/** How often an authority asks the disk for a sync under load: a run of its own, watched by strace from outside. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { load } from './load.ts';
import type { Placement } from './machine.ts';
import { startAuthority } from './servers.ts';

const WARM_UP_SECONDS = 1;

export type Syncs = {
  readonly tokens: number;
  readonly syncs: number;
  readonly per1000Tokens: number;
  readonly tokensPerSecond: number;
};

/** A text when strace is missing or may not trace. */
export async function countSyncsUnderLoad(options: {
  readonly seconds: number;
  readonly directory: string;
  readonly placement: Placement;
}): Promise<Syncs | string> {
  const probe = spawnSync('strace', ['-o', '/dev/null', 'true'], { encoding: 'utf8' });
  if (probe.error !== undefined) return 'strace is missing: install strace to count the syncs';
  if (probe.status !== 0) return 'strace may not trace: allow SYS_PTRACE';
  const { directory, placement } = options;
  const log = join(directory, 'syncs.strace');
  const data = join(directory, 'data-of-syncs');
  mkdirSync(data, { mode: 0o700 });
  const authority = await startAuthority(resolve(import.meta.dirname, '..'), {
    data,
    // The tracer is the grandchild, and the kernel stops the server at these calls alone.
    place: (command, args) =>
      placement.onServerCore('strace', [
        ...['-D', '-f', '--seccomp-bpf', '-qq', '-e', 'trace=fsync,fdatasync', '-o', log],
        ...[command, ...args],
      ]),
  });
  try {
    await load(authority.targets.token, { ...options, seconds: WARM_UP_SECONDS });
    const before = syncsIn(readFileSync(log, 'utf8'));
    const { requests, requestsPerSecond } = await load(authority.targets.token, options);
    const syncs = syncsIn(readFileSync(log, 'utf8')) - before;
    return {
      ...{ tokens: requests, syncs, per1000Tokens: (syncs * 1_000) / requests },
      tokensPerSecond: requestsPerSecond,
    };
  } finally {
    await authority.stop();
  }
}

/** Calls that began; one that another thread interrupted has a second line, "resumed". */
export function syncsIn(log: string): number {
  return [...log.matchAll(/\b(?:fsync|fdatasync)\(/g)].length;
}
