/** Runs `countersign` commands as an operator would, and reads the one JSON document that each prints. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const COMMAND_MS_MAX = 60_000;

export type Document = Readonly<Record<string, unknown>>;
export type Operate = (...args: readonly string[]) => Promise<Document>;

/** Makes the runner for one data folder. `signal` ends a command that is under way. */
export function makeOperate(settings: {
  /** The path of the command's main file. */
  readonly main: string;
  readonly data: string;
  readonly signal: AbortSignal;
  /** Told of each command that changes something, before it is run. */
  readonly tell: (command: string) => void;
}): Operate {
  const { main, data, signal, tell } = settings;
  const run = promisify(execFile);
  return async (...args) => {
    if (args[1] !== 'list') tell(`countersign ${args.map(shellWord).join(' ')}`);
    const command = [main, ...args, '--data', data, '--json'];
    try {
      const { stdout } = await run(process.execPath, command, { signal, timeout: COMMAND_MS_MAX });
      return JSON.parse(stdout);
    } catch (error) {
      // Its refusals are one line on its standard error; arguments hold no secret, outputs might.
      const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
      throw new Error(`countersign ${args.join(' ')}: ${words || 'ended without a word'}`);
    }
  };
}

/** The text in a document, which must be there. */
export function textOf(document: Document, name: string): string {
  const value = document[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`countersign printed no ${name}: its --json output is not what the demo expects`);
}

/** A word that a shell reads as it stands, whatever is in it. */
export function shellWord(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
