/** Counts how often a program asks the disk for a sync, with strace, or says why that cannot be counted here. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The syncs of `node PROGRAM ARGS…`; a text when strace is missing or may not trace. `report` is a path to write to. */
export function countSyncs(program: readonly string[], report: string): number | string {
  const trace = ['-f', '-c', '-o', report, '-e', 'trace=fsync,fdatasync', process.execPath];
  const traced = spawnSync('strace', [...trace, ...program], { encoding: 'utf8' });
  if (traced.error !== undefined) return 'strace is missing: install strace to count the syncs';
  if (/ptrace|not permitted/i.test(traced.stderr)) return 'strace may not trace: allow SYS_PTRACE';
  assert.equal(traced.status, 0, traced.stderr);
  // % time, seconds, usecs/call, calls, errors (often blank), syscall
  const rows = readFileSync(report, 'utf8').matchAll(
    /^(?:\s*[\d.]+){3}\s+(\d+).*\s(?:fsync|fdatasync)$/gm,
  );
  return [...rows].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
