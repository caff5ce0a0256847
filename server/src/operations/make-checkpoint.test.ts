import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { isSignedBy } from '../credentials/checkpoint.ts';
import { auditHash } from '../ports/audit-chain.ts';
import { databasePath } from '../stores/sqlite/store.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator, onboard } from '../testing/onboarding.ts';
import type { OperationContext } from './context.ts';
import { makeCheckpoint } from './make-checkpoint.ts';
import { verifyAudit } from './verify-audit.ts';

async function withTrail(
  body: (context: OperationContext, database: DatabaseSync) => Promise<void>,
): Promise<void> {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    await onboard(context);
    const database = new DatabaseSync(databasePath(data));
    try {
      await body(context, database);
    } finally {
      database.close();
    }
  });
}

/** Computes every hash from `from` on anew, and the recorded end: what somebody with the database and time would do. */
function forgeChain(database: DatabaseSync, from: number): void {
  const rows = database.prepare('SELECT sequence, line FROM audit ORDER BY sequence').all() as {
    sequence: number;
    line: string;
  }[];
  let hash = '';
  for (const { sequence, line } of rows) {
    hash = auditHash(hash, sequence, line);
    if (sequence < from) continue;
    database.prepare('UPDATE audit SET hash = ? WHERE sequence = ?').run(hash, sequence);
  }
  database.prepare('UPDATE store SET audit_sequence = ?, audit_hash = ?').run(rows.length, hash);
}

test('the key is made once, whoever asks at once, and the trail says so; nothing new is signed while nothing changes', () =>
  withTrail(async (context) => {
    const made = await Promise.all([1, 2, 3].map(() => makeCheckpoint(context)));
    const [first, ...others] = made;
    assert.ok(first);
    for (const { publicKey } of others) assert.equal(publicKey, first.publicKey);
    assert.equal((await context.checkpoints.signingKeys()).length, 1);
    const lines = await context.audit.lines({ action: 'audit-key.create', limit: 10 });
    assert.deepEqual(
      lines.map(({ target, detail }) => [target, detail]),
      [[first.checkpoint.keyId, { public_key: first.publicKey }]],
    );
    const { publicKey, checkpoint } = await makeCheckpoint(context);
    assert.ok(isSignedBy(publicKey, checkpoint));
    const head = await context.audit.head();
    assert.deepEqual(
      [checkpoint.sequence, checkpoint.hash, checkpoint.incarnation],
      [head.sequence, head.hash, head.incarnation],
    );
    const again = await makeCheckpoint(context);
    assert.deepEqual([again.made, again.checkpoint], [false, checkpoint]);
  }));

test('a trail that was computed anew from an edited line agrees with itself, but not with its checkpoints', () =>
  withTrail(async (context, database) => {
    const { checkpoint } = await makeCheckpoint(context);
    assert.deepEqual(await verifyAudit(context), {
      intact: true,
      lines: checkpoint.sequence,
      headHash: checkpoint.hash,
      signedTo: checkpoint.sequence,
    });
    database.exec(`UPDATE audit SET line = replace(line, 'Test program', 'Best program')`);
    forgeChain(database, 1);
    const verdict = await verifyAudit(context);
    assert.ok(!verdict.intact);
    assert.equal(verdict.firstBad, checkpoint.sequence);
    assert.match(verdict.problem, /one of the lines 1 to \d+ was rewritten/);
    await assert.rejects(makeCheckpoint(context), /broken at line/);
  }));

test('who also takes the checkpoints away is found by one that was kept elsewhere, as is a cut tail', () =>
  withTrail(async (context, database) => {
    const { checkpoint, publicKey } = await makeCheckpoint(context);
    const kept = {
      checkpoints: [checkpoint],
      publicKeys: new Map([[checkpoint.keyId, publicKey]]),
    };
    database.exec('DELETE FROM checkpoints');
    database.prepare('DELETE FROM audit WHERE sequence = ?').run(checkpoint.sequence);
    forgeChain(database, 1);
    assert.equal((await verifyAudit(context)).intact, true, 'the store alone cannot tell');
    const cut = await verifyAudit(context, kept);
    assert.ok(!cut.intact);
    assert.equal(cut.firstBad, checkpoint.sequence);
    assert.match(cut.problem, /cut off here/);
  }));

test('nothing is signed when a line since the last checkpoint was altered, taken out or moved, and the line is named', () =>
  withTrail(async (context, database) => {
    const { checkpoint } = await makeCheckpoint(context);
    await onboard(context);
    const bad = checkpoint.sequence + 2;
    const row = database.prepare('SELECT * FROM audit WHERE sequence = ?').get(bad) as {
      line: string;
      hash: string;
    };
    const restore = database.prepare('UPDATE audit SET line = ?, hash = ? WHERE sequence = ?');
    database.prepare(`UPDATE audit SET line = line || ' ' WHERE sequence = ?`).run(bad);
    await assert.rejects(makeCheckpoint(context), new RegExp(`broken at line ${bad}:`));
    restore.run(row.line, row.hash, bad);
    database.prepare('UPDATE audit SET sequence = 99999 WHERE sequence = ?').run(bad);
    await assert.rejects(makeCheckpoint(context), new RegExp(`broken at line ${bad}:`));
    database.prepare('UPDATE audit SET sequence = ? WHERE sequence = 99999').run(bad);
    assert.equal((await makeCheckpoint(context)).made, true);
  }));

test('a checkpoint that was altered in the store is no ground to sign on, and verification names its line', () =>
  withTrail(async (context, database) => {
    const { checkpoint } = await makeCheckpoint(context);
    await onboard(context);
    database.exec('UPDATE checkpoints SET at_ms = at_ms + 1');
    await assert.rejects(makeCheckpoint(context), /its checkpoint was altered/);
    const verdict = await verifyAudit(context);
    assert.ok(!verdict.intact);
    assert.equal(verdict.firstBad, checkpoint.sequence);
  }));

test('whichever row of the trail is altered, taken out, moved or cut off in the database, verification names it', () =>
  withTrail(async (context, database) => {
    await makeCheckpoint(context);
    const rows = database.prepare('SELECT * FROM audit ORDER BY sequence').all() as Record<
      'sequence' | 'change' | 'action' | 'line' | 'hash',
      string | number | null
    >[];
    const write = (kept: typeof rows): void => {
      database.exec('BEGIN; DELETE FROM audit');
      for (const { sequence, change, action, line, hash } of kept) {
        database
          .prepare(
            'INSERT INTO audit (sequence, change, action, line, hash) VALUES (?, ?, ?, ?, ?)',
          )
          .run(sequence, change, action, line, hash);
      }
      database.exec('COMMIT');
    };
    assert.ok(rows.length > 5);
    for (const [index, row] of rows.entries()) {
      const next = rows[index + 1];
      const ways = [
        rows.with(index, { ...row, line: String(row.line).replace('"actor":"', '"actor":"x') }),
        rows.with(index, { ...row, hash: 'f'.repeat(64) }),
        rows.toSpliced(index, 1),
        rows.slice(0, index),
        ...(next === undefined
          ? []
          : [
              rows
                .with(index, { ...next, sequence: row.sequence })
                .with(index + 1, { ...row, sequence: next.sequence }),
            ]),
      ];
      for (const [way, kept] of ways.entries()) {
        write(kept);
        const verdict = await verifyAudit(context);
        assert.ok(!verdict.intact, `way ${way} at line ${row.sequence} was not seen`);
        assert.equal(verdict.firstBad, row.sequence, `way ${way}`);
      }
    }
    write(rows);
    assert.equal((await verifyAudit(context)).intact, true);
  }));
