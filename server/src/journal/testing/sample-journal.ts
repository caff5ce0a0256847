/** What the journal's tests share: numbered tokens, folders of their own, and a look at what really stands in the files. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IssuedToken } from '../../ports/journal.ts';
import { openForReading } from '../bucket-database.ts';
import { listBuckets } from '../bucket-files.ts';

/** 2026-11-22T14:10Z, the start of a bucket. */
export const START_MS = Date.UTC(2026, 10, 22, 14, 10);

/** The token with number `number`: its jti ends in it. */
export function numberedToken(number: number, fields: Partial<IssuedToken> = {}): IssuedToken {
  const jti = Buffer.alloc(12);
  jti.writeUInt32BE(number, 8);
  return {
    jti,
    client: 7,
    generation: 2,
    secret: 11,
    scopeSet: 3,
    resource: 1,
    issuedAtMs: START_MS,
    lifetimeSeconds: 3600,
    address: '203.0.113.9',
    ...fields,
  };
}

/** A folder for one test, removed at its end. */
export function temporaryFolder(test: { after(step: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-journal-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every row's jti in hexadecimal, bucket by bucket and in the order of insertion. */
export function storedJtis(directory: string): readonly string[] {
  return listBuckets(directory).flatMap(({ path }) => {
    const database = openForReading(path);
    const rows = database?.prepare('SELECT hex(jti) AS jti FROM tokens ORDER BY rowid').all() ?? [];
    database?.close();
    return rows.map(({ jti }) => String(jti).toLowerCase());
  });
}

export function hex(token: IssuedToken): string {
  return Buffer.from(token.jti).toString('hex');
}
