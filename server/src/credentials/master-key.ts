/**
 * Where a master key comes from: a file, a value, a command. Refuses what others could read, and
 * never shows a key.
 */

import { execFile } from 'node:child_process';
import { type FileHandle, link, open, unlink } from 'node:fs/promises';
import { platform } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Randomness } from '../ports/clock.ts';
import { MASTER_KEY_BYTES, MasterKey, MasterKeyError } from './key-wrapping.ts';

export { MasterKey, MasterKeyError };

export type MasterKeySource =
  | { readonly file: string }
  /** The key itself, read from an environment variable by whoever reads the environment. */
  | { readonly value: string }
  /** A shell command that prints the key, such as a call of a key management service. */
  | { readonly command: string };

export type MasterKeyDeps = {
  readonly random: Randomness;
  readonly commandLimitMs?: number;
};

const COMMAND_LIMIT_MS = 10_000;
const COMMAND_OUTPUT_BYTES_MAX = 4096;
const FILE_BYTES_MAX = 4096;
const HOW_TO_WRITE_ONE = '32 random bytes as 43 base64 or base64url or 64 hexadecimal characters';
/** Windows has no such permission bits (all read as set), and cannot sync a directory. */
const isPosix = platform() !== 'win32';

/** Loads the master key. Every failure is a MasterKeyError of one sentence that says what to do. */
export async function loadMasterKey(
  source: MasterKeySource,
  deps: MasterKeyDeps,
): Promise<MasterKey> {
  const { text, from } = await readSource(source, deps);
  const key = parseKey(text.trim());
  if (key === undefined) {
    const found = text.trim().length;
    throw new MasterKeyError(
      `The master key in ${from} is not a key (it has ${found} characters): ` +
        `it must be ${HOW_TO_WRITE_ONE}.`,
    );
  }
  const masterKey = new MasterKey(key, deps.random);
  key.fill(0);
  return masterKey;
}

/**
 * Makes a new master key in a new file that only its owner can read. The file appears whole or not
 * at all, is on disk when this resolves, and never replaces another.
 */
export async function createMasterKeyFile(path: string, random: Randomness): Promise<void> {
  const draft = `${path}.${random.bytes(8).toString('hex')}.new`;
  try {
    const text = random.bytes(MASTER_KEY_BYTES).toString('base64url');
    await writeSynced(draft, `${text}\n`);
    // A link, unlike a rename, refuses to replace.
    await link(draft, path).finally(() => unlink(draft));
    await syncDirectory(dirname(path));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') {
      throw new MasterKeyError(`The master key file ${path} exists already: it was left as it is.`);
    }
    throw new MasterKeyError(
      `The master key file ${path} cannot be written (${codeOf(error)}): check its directory.`,
    );
  }
}

async function readSource(
  source: MasterKeySource,
  deps: MasterKeyDeps,
): Promise<{ text: string; from: string }> {
  if ('value' in source) return { text: source.value, from: 'the environment variable' };
  if ('file' in source) return { text: await readKeyFile(source.file), from: source.file };
  const limitMs = deps.commandLimitMs ?? COMMAND_LIMIT_MS;
  return { text: await runCommand(source.command, limitMs), from: 'the output of the command' };
}

/** The key in hexadecimal, base64 or base64url: in its one spelling, or undefined. */
function parseKey(text: string): Buffer | undefined {
  const unpadded = text.replace(/=$/, '');
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    const key = Buffer.from(text, encoding);
    const spelled = key.toString(encoding).replace(/=$/, '');
    const given = encoding === 'hex' ? text.toLowerCase() : unpadded;
    if (key.length === MASTER_KEY_BYTES && spelled === given) return key;
  }
  return undefined;
}

async function readKeyFile(path: string): Promise<string> {
  const file = await openKeyFile(path);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) {
      throw new MasterKeyError(`The master key file ${path} is not a file: give the path of one.`);
    }
    if (isPosix && (stat.mode & 0o077) !== 0) {
      throw new MasterKeyError(
        `The master key file ${path} is open to others than its owner: run "chmod 600 ${path}".`,
      );
    }
    if (stat.size > FILE_BYTES_MAX) {
      throw new MasterKeyError(
        `The master key file ${path} is too long to be one: it must hold ${HOW_TO_WRITE_ONE}.`,
      );
    }
    return await file.readFile('utf8');
  } catch (error) {
    throw error instanceof MasterKeyError ? error : unreadable(path, error);
  } finally {
    await file.close();
  }
}

async function openKeyFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw codeOf(error) === 'ENOENT' ? missing(path) : unreadable(path, error);
  }
}

function missing(path: string): MasterKeyError {
  return new MasterKeyError(
    `The master key file ${path} does not exist: put the key this store was created with there.`,
  );
}

function unreadable(path: string, error: unknown): MasterKeyError {
  return new MasterKeyError(
    `The master key file ${path} cannot be read (${codeOf(error)}): check whose it is.`,
  );
}

/** The error of a failed command quotes the command and its output, so none of it is passed on. */
async function runCommand(command: string, limitMs: number): Promise<string> {
  const limits = {
    timeout: limitMs,
    maxBuffer: COMMAND_OUTPUT_BYTES_MAX,
    killSignal: 'SIGKILL',
  } as const;
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', command], limits);
    return stdout;
  } catch (error) {
    const how = howItEnded(error, limitMs);
    throw new MasterKeyError(
      `The master key command ${how}: run it by hand to see why (its output is not shown here).`,
    );
  }
}

function howItEnded(error: unknown, limitMs: number): string {
  const { code, killed } = error as { code?: unknown; killed?: boolean };
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'printed too much to be a key';
  if (killed === true) return `took longer than ${limitMs / 1000} s`;
  if (typeof code === 'number') return `failed with exit code ${code}`;
  return 'could not be run';
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Without this the file is on disk but its name may not be. */
async function syncDirectory(path: string): Promise<void> {
  if (!isPosix) return;
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
