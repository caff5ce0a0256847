/** Reads audit exports and checkpoints from files, in bounded memory, and writes exports. Judges nothing. */

import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { type AuditRecord, keysById, parseRecord } from '../operations/audit-records.ts';
import type { KeptOutside } from '../operations/verify-audit.ts';
import type { Checkpoint } from '../ports/checkpoints.ts';
import type { TextSink } from './command.ts';

/** No audit line is nearly as long. */
const LINE_LENGTH_MAX = 16 * 1024 * 1024;
/** A document in several lines, as `audit checkpoint --json` prints it, is not longer. */
const DOCUMENT_BYTES_MAX = 64 * 1024;

/** The lines of a file, none of them kept. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
    const lines = `${rest}${chunk as string}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LENGTH_MAX) throw new Error(`${file}: a line is too long`);
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** The checkpoints of a file: one as `audit checkpoint --json` printed it, or any number in an export or in lines of JSON. */
export async function readCheckpoints(file: string): Promise<Required<KeptOutside>> {
  const found = await recordsOf(file);
  if (found.checkpoints.length === 0) throw new Error(`${file}: there is no checkpoint in it`);
  return { checkpoints: found.checkpoints, publicKeys: keysById(found.publicKeys) };
}

async function recordsOf(file: string) {
  const found = { checkpoints: [] as Checkpoint[], publicKeys: [] as string[] };
  const take = (record: AuditRecord | undefined): void => {
    if (record?.is === 'head') found.publicKeys.push(...record.head.publicKeys);
    if (record?.is !== 'checkpoint') return;
    found.checkpoints.push(record.checkpoint);
    if (record.publicKey !== undefined) found.publicKeys.push(record.publicKey);
  };
  let document = '';
  const mayBeOne = (await stat(file)).size <= DOCUMENT_BYTES_MAX;
  for await (const line of linesOf(file)) {
    take(parseRecord(line));
    if (mayBeOne) document += `${line}\n`;
  }
  if (found.checkpoints.length === 0) take(parseRecord(document));
  return found;
}

/** Writes pieces as they come, waits whenever the reader is slower, and ends when it has gone away. */
export async function writeAll(pieces: AsyncIterable<string>, sink: TextSink): Promise<void> {
  for await (const piece of pieces) {
    if (sink.destroyed === true) return;
    const isFull = sink.write(piece) === false;
    if (!isFull || sink.once === undefined) continue;
    await new Promise<void>((resolve) => {
      sink.once?.('drain', resolve);
      sink.once?.('close', resolve);
    });
  }
}

/** The same into a new file that only its owner may read, on the disk when it returns. Replaces nothing. */
export async function writeNewFile<T>(pieces: AsyncGenerator<string, T>, path: string): Promise<T> {
  const file = await open(path, 'wx', 0o600);
  try {
    for (;;) {
      const next = await pieces.next();
      if (next.done === true) {
        await file.sync();
        return next.value;
      }
      await file.write(next.value);
    }
  } finally {
    await file.close();
  }
}
