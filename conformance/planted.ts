/** Searches what a run left behind for credentials that must not stand there. */

import { spawnSync } from 'node:child_process';

/** The part of a credential that is secret, without prefix and checksum; long enough that no chance produces it. */
export const core = (value: string): string => value.slice(14, 44);

/** Files below some directories that hold any of the texts; searched by another process, as opening them here could drop locks. */
export function filesWith(
  directories: readonly string[],
  texts: readonly string[],
): readonly string[] {
  const { status, stdout, stderr } = spawnSync(
    'grep',
    [
      '--recursive',
      '--text',
      '--files-with-matches',
      '--fixed-strings',
      '--file=-',
      ...directories,
    ],
    { input: `${texts.join('\n')}\n`, encoding: 'utf8' },
  );
  if (status !== 0 && status !== 1) throw new Error(`grep ended with ${status}: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}
