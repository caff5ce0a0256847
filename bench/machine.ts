/** What a figure depends on besides the code: processor, system, Node, cores, file system, commit. Measures nothing. */

import { spawnSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';

export type Command = { readonly command: string; readonly args: readonly string[] };

export type Placement = {
  /** For people: which core does what. */
  readonly words: string;
  onServerCore(command: string, args: readonly string[]): Command;
  onLoadCore(command: string, args: readonly string[]): Command;
  /** Moves a process that runs already, and its children, beside the load. */
  moveToLoadCore(pid: number): void;
};

/** Where the system may choose. */
export const anywhere = (command: string, args: readonly string[]): Command => ({ command, args });

/** Servers on one core and load on another, where the system lets us choose. */
export function choosePlacement(): Placement {
  const [serverCore, loadCore] = allowedCores();
  const canPin = spawnSync('taskset', ['--version']).error === undefined;
  if (!canPin || serverCore === undefined || loadCore === undefined) {
    const why = canPin ? 'fewer than two cores' : 'no taskset';
    return {
      words: `not placed (${why})`,
      onServerCore: anywhere,
      onLoadCore: anywhere,
      moveToLoadCore: () => {},
    };
  }
  const on =
    (core: number) =>
    (command: string, args: readonly string[]): Command => ({
      command: 'taskset',
      args: ['--cpu-list', String(core), command, ...args],
    });
  return {
    words: `server on core ${serverCore}, load on core ${loadCore}`,
    onServerCore: on(serverCore),
    onLoadCore: on(loadCore),
    moveToLoadCore: (pid) => {
      for (const one of familyOf(pid)) {
        spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(loadCore), String(one)]);
      }
    },
  };
}

/** The cores that this process may use; none where the system does not tell. */
function allowedCores(): readonly number[] {
  const status = readIfThere('/proc/self/status');
  return coresIn(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '');
}

/** `0-2,5` as 0, 1, 2, 5. */
export function coresIn(list: string): readonly number[] {
  return list.split(',').flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) return [];
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => Number(first) + at);
  });
}

export type Machine = {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly date: string;
  readonly commit: string;
};

/** The machine and the version measured. */
export function describeMachine(checkout: string): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    date: new Date().toISOString(),
    commit: commitOf(checkout),
  };
}

function commitOf(checkout: string): string {
  const git = (...args: string[]): string =>
    spawnSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).stdout?.trim() ?? '';
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit === '') return 'unknown';
  const isChanged = git('status', '--porcelain', '--', 'server', 'protocol') !== '';
  return isChanged ? `${commit} with uncommitted changes` : commit;
}

/** Linux: TMPFS_MAGIC. */
const TMPFS = 0x01021994;

/** Throws when files in `directory` never reach a disk: an fsync there costs nothing and the figures would flatter. */
export function assertOnDisk(directory: string): void {
  if (statfsSync(directory).type !== TMPFS) return;
  throw new Error(
    `${directory} is in memory, where an fsync costs nothing: set TMPDIR to a folder on a disk`,
  );
}

/** Ticks of /proc/PID/stat; a constant of the Linux ABI. */
const TICKS_PER_SECOND = 100;

/** Processor time of processes and their children, all threads together; undefined where the system does not tell. */
export function processorSeconds(pids: readonly number[]): number | undefined {
  const each = pids.flatMap(familyOf).flatMap((pid) => ownSeconds(pid) ?? []);
  return each.length === 0 ? undefined : each.reduce((sum, seconds) => sum + seconds, 0);
}

/** A process and all below it. */
export function familyOf(pid: number): readonly number[] {
  const children = readIfThere(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
}

/** Resident memory in MiB; undefined where the system does not tell. */
export function residentMiB(pid: number): number | undefined {
  const [, kib] = /^VmRSS:\s*(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/status`)) ?? [];
  return kib === undefined ? undefined : Number(kib) / 1_024;
}

function ownSeconds(pid: number): number | undefined {
  // The name in parentheses may hold spaces, so fields are counted after it: utime and stime are 14 and 15, and 16 and 17 those of
  // children that have ended, which must not be lost from one look to the next.
  const fields = readIfThere(`/proc/${pid}/stat`).split(') ')[1]?.split(' ');
  if (fields === undefined) return undefined;
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / TICKS_PER_SECOND;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
