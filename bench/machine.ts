/** What a figure depends on besides the code: processor, system, Node, cores, file system, commit. Measures nothing. */

import { spawnSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { arch, cpus, release, type } from 'node:os';

export type Command = { readonly command: string; readonly args: readonly string[] };

export type Placement = {
  /** For people: which core does what. */
  readonly words: string;
  onServerCore(command: string, args: readonly string[]): Command;
  onLoadCore(command: string, args: readonly string[]): Command;
};

/** Servers on one core and load on another, where the system lets us choose. */
export function choosePlacement(): Placement {
  const [serverCore, loadCore] = allowedCores();
  const canPin = spawnSync('taskset', ['--version']).error === undefined;
  if (!canPin || serverCore === undefined || loadCore === undefined) {
    const why = canPin ? 'fewer than two cores' : 'no taskset';
    const free = (command: string, args: readonly string[]): Command => ({ command, args });
    return { words: `not placed (${why})`, onServerCore: free, onLoadCore: free };
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
  readonly system: string;
  readonly node: string;
  readonly commit: string;
};

/** The machine and the version measured. */
export function describeMachine(checkout: string): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
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

/** Processor time that a process has used, all its threads together; undefined where the system does not tell. */
export function processorSeconds(pid: number): number | undefined {
  // The name in parentheses may hold spaces, so fields are counted after it: utime and stime are 14 and 15.
  const fields = readIfThere(`/proc/${pid}/stat`).split(') ')[1]?.split(' ');
  if (fields === undefined) return undefined;
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
