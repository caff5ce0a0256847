/**
 * The form of a backup: one file, lines of JSON with databases between them, checksummed and sealed. Knows the order of its
 * parts, and refuses to know what stands in them.
 *
 *     countersign backup 1
 *     {the manifest}
 *     {"name":"countersign.db","bytes":…,"sha256":"…"}, then that many bytes and a line feed; so each part
 *     {"parts":…,"tokens":…}
 *     {"sha256": of all lines above,"seal": that hash, sealed under the master key}
 */

import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

export type Manifest = {
  /** Of the Countersign that took it. */
  readonly version: string;
  readonly schema: number;
  readonly incarnation: string;
  /** Number of the last change in it. */
  readonly sequence: number;
  readonly takenAtMs: number;
  readonly auditHead: { readonly sequence: number; readonly hash: string };
  /** Fingerprint of the master key that it is sealed under. */
  readonly masterKeyCheck: string;
  readonly programs: number;
  readonly clients: number;
  readonly secrets: number;
};

export type Archive = {
  readonly manifest: Manifest;
  readonly parts: number;
  readonly tokens: number;
  readonly sha256: string;
  readonly seal: string;
  readonly bytes: number;
};

/** The backup cannot be taken or restored; the message is for the operator and says why. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused';
}

const FORMAT = 1;
const FIRST_LINE = /^countersign backup (\d{1,9})$/;
/** What is held in memory of a part at a time. */
const CHUNK_BYTES_MAX = 1_048_576;
const LINE_BYTES_MAX = 65_536;
const NAME = /^(countersign\.db|journal\/[A-Za-z0-9-]{1,64}(\.[A-Za-z0-9-]{1,64})?\.db)$/;

export type ArchiveWriter = {
  /** Adds a file that nothing writes to any more. */
  add(name: string, path: string): Promise<void>;
  /** Ends it and resolves once it is on disk. */
  end(tokens: number, seal: (hash: Buffer) => string): Promise<string>;
  close(): Promise<void>;
};

/** Begins a file that only its owner can read. Rejects when there is one of that name. */
export async function createArchive(path: string, manifest: Manifest): Promise<ArchiveWriter> {
  const file = await open(path, 'wx', 0o600);
  const all = createHash('sha256');
  let parts = 0;
  const write = async (bytes: Buffer): Promise<void> => {
    all.update(bytes);
    await file.writeFile(bytes);
  };
  const line = (text: string): Promise<void> => write(Buffer.from(`${text}\n`));
  await line(`countersign backup ${FORMAT}`);
  await line(JSON.stringify(manifest));
  return {
    add: async (name, source) => {
      if (!NAME.test(name)) throw new RangeError(`no part of a backup is named ${name}`);
      const { size } = await stat(source);
      const sha256 = await hashOf(source);
      await line(JSON.stringify({ name, bytes: size, sha256 }));
      for await (const chunk of createReadStream(source, { highWaterMark: CHUNK_BYTES_MAX })) {
        await write(chunk as Buffer);
      }
      await line('');
      parts += 1;
    },
    end: async (tokens, seal) => {
      await line(JSON.stringify({ parts, tokens }));
      const hash = all.digest();
      const sha256 = hash.toString('hex');
      await file.writeFile(lastLine({ sha256, seal: seal(hash) }));
      await file.sync();
      return sha256;
    },
    close: () => file.close(),
  };
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES_MAX })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}

const lastLine = ({ sha256, seal }: { sha256: string; seal: string }): string =>
  `${JSON.stringify({ sha256, seal })}\n`;

/** Where a part's bytes go: called with each chunk in turn, then with nothing once the part has proved whole. */
export type Sink = (chunk: Buffer | undefined) => Promise<void> | void;
type SinkOf = (name: string) => Promise<Sink> | Sink;

/** Reads a backup from end to end and checks every checksum in it, but not the seal. Throws `BackupRefused`. */
export async function readArchive(path: string, sinkOf: SinkOf = () => () => {}): Promise<Archive> {
  const file = await open(path, 'r').catch((error: Error) => {
    throw new BackupRefused(`${path} cannot be read: ${error.message}`);
  });
  try {
    return await readParts(new Source(file, path), sinkOf);
  } finally {
    await file.close();
  }
}

async function readParts(source: Source, sinkOf: SinkOf): Promise<Archive> {
  requireFormat(source, await source.line());
  const manifest = source.parsed(await source.line()) as Manifest;
  let parts = 0;
  for (;;) {
    const header = source.parsed(await source.line());
    if (!('name' in header)) {
      const { tokens } = header;
      if (header['parts'] !== parts || typeof tokens !== 'number') throw source.damaged('its end');
      return { manifest, parts, tokens, ...(await readEnd(source)) };
    }
    await readPart(source, header, sinkOf);
    parts += 1;
  }
}

async function readPart(
  source: Source,
  header: Record<string, unknown>,
  sinkOf: SinkOf,
): Promise<void> {
  const { name, bytes, sha256 } = header;
  if (typeof name !== 'string' || !NAME.test(name)) throw source.damaged('the name of a part');
  if (!Number.isSafeInteger(bytes)) throw source.damaged(`the length of ${name}`);
  const sink = await sinkOf(name);
  const hash = createHash('sha256');
  for (let left = Number(bytes); left > 0; ) {
    const chunk = await source.chunk(left);
    left -= chunk.length;
    hash.update(chunk);
    await sink(chunk);
  }
  if ((await source.line()) !== '' || hash.digest('hex') !== sha256) throw source.damaged(name);
  await sink(undefined);
}

async function readEnd(source: Source): Promise<Pick<Archive, 'sha256' | 'seal' | 'bytes'>> {
  const sha256 = source.all.copy().digest('hex');
  const text = await source.line();
  const { seal } = source.parsed(text);
  // Compared as text: of a line that is only read, some bytes could be altered unseen.
  if (typeof seal !== 'string' || `${text}\n` !== lastLine({ sha256, seal })) {
    throw source.damaged('its end');
  }
  if (!(await source.isAtEnd())) throw source.damaged('something stands behind its end, which');
  return { sha256, seal, bytes: source.bytes };
}

function requireFormat(source: Source, line: string): void {
  const format = FIRST_LINE.exec(line)?.[1];
  if (format === undefined) throw new BackupRefused(`${source.path} is no backup of Countersign`);
  if (Number(format) === FORMAT) return;
  throw new BackupRefused(
    `${source.path} is a backup in format ${format}, this Countersign knows ${FORMAT}: ` +
      'restore it with the version that took it, or a later one',
  );
}

/** The bytes of the file in order, hashed as they pass. */
class Source {
  readonly all: Hash = createHash('sha256');
  readonly path: string;
  bytes = 0;
  readonly #file: FileHandle;
  #held: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.path = path;
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    let end = this.#held.indexOf(10);
    while (end === -1) {
      if (this.#held.length > LINE_BYTES_MAX) throw this.damaged('a line of it');
      await this.#more();
      end = this.#held.indexOf(10);
    }
    return this.#take(end + 1)
      .subarray(0, end)
      .toString();
  }

  async chunk(bytesMax: number): Promise<Buffer> {
    if (this.#held.length === 0) await this.#more();
    return this.#take(Math.min(bytesMax, this.#held.length));
  }

  async isAtEnd(): Promise<boolean> {
    return this.#held.length === 0 && (await this.#file.read(Buffer.alloc(1))).bytesRead === 0;
  }

  parsed(line: string): Record<string, unknown> {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    } catch {
      // As any other line that says nothing.
    }
    throw this.damaged('a line of it');
  }

  damaged(what: string): BackupRefused {
    return new BackupRefused(
      `${this.path} is damaged or was altered: ${what} does not fit its checksum; use another copy`,
    );
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    this.all.update(taken);
    this.bytes += length;
    return taken;
  }

  async #more(): Promise<void> {
    const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(CHUNK_BYTES_MAX));
    if (bytesRead === 0) {
      throw new BackupRefused(`${this.path} is cut off: its end is missing; use another copy`);
    }
    const read = buffer.subarray(0, bytesRead);
    this.#held = this.#held.length === 0 ? read : Buffer.concat([this.#held, read]);
  }
}
