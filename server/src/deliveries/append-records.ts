/** Appends lines to a file that others read and may move away: none twice, none torn, on the disk before it says so. */

import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Where records are looked for that were written before: the last batch is smaller. */
const TAIL_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;
/** How every file of audit lines begins. */
const BEGINNING = Buffer.from('{"export":');

/** Each record ends with a line feed. Opened anew each time: a file that was moved away is not written to any more. */
export async function appendRecords(
  url: URL,
  { head, records }: { readonly head: string; readonly records: readonly string[] },
): Promise<void> {
  const file = await open(fileURLToPath(url), 'a+', 0o600);
  try {
    await requireOurs(file);
    const tail = await wholeTail(file);
    const written = new Set(tail.split(/(?<=\n)/));
    // Written before, but the news of it was lost: it is not written again.
    const missing = records.filter((record) => !written.has(record));
    if (missing.length === 0) return;
    await file.appendFile([...(tail === '' ? [head] : []), ...missing].join(''));
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Throws for the file of somebody else, which is left as it is: a key has no line feed, and would be taken for a torn record. */
async function requireOurs(file: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(BEGINNING.length),
    0,
    BEGINNING.length,
    0,
  );
  const isOurs = buffer.subarray(0, bytesRead).equals(BEGINNING.subarray(0, bytesRead));
  if (!isOurs) throw new Error('the file is no file of audit lines');
}

/** The end of the file up to its last line feed; what stands after that was torn by a crash, and is taken away first. */
async function wholeTail(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const start = Math.max(0, size - TAIL_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
  const whole = buffer.subarray(0, bytesRead).lastIndexOf(LINE_FEED) + 1;
  if (whole === 0 && start > 0) throw new Error('the file is no file of audit lines');
  if (whole < size - start) await file.truncate(start + whole);
  return buffer.subarray(0, whole).toString();
}
