/** Verifies an export of the audit trail without the store that it is of, and without its master key. */

import { type AuditRecord, type ExportHead, keysById, parseRecord } from './audit-records.ts';
import { newWitnessStand, type WitnessStand } from './checkpoint-witnesses.ts';
import { invalid } from './input.ts';
import { type Broken, broken, newTrailWalk, type TrailWalk } from './trail-walk.ts';
import type { KeptOutside } from './verify-audit.ts';

export type ExportVerdict =
  | {
      readonly intact: true;
      /** Lines in it, the first and the last; 0 where there is none. */
      readonly lines: number;
      readonly from: number;
      readonly to: number;
      readonly headHash: string;
      /** The last line that a signed checkpoint vouches for; 0: none does. */
      readonly signedTo: number;
      /** The key that signatures were checked with: 'given', or as the export itself says, which proves nothing by itself. */
      readonly key: 'given' | 'stated' | 'none';
    }
  | Broken;

/** The records of the export as text, from the first one on; asked for twice, so that nothing of it is kept. */
export type Reading = () => AsyncIterable<string>;

/** Throws `ChangeRefused` for what is no export at all. */
export async function verifyExport(read: Reading, kept: KeptOutside = {}): Promise<ExportVerdict> {
  const head = await headOf(read);
  const given = keysOf(kept);
  const stand = newWitnessStand(given.size > 0 ? given : keysById(head.publicKeys));
  for (const checkpoint of kept.checkpoints ?? []) {
    const problem = stand.call(checkpoint, 'the given');
    if (problem === undefined) continue;
    return { ...problem, problem: withLife(problem.problem, checkpoint.incarnation, head) };
  }
  const heard = await hearWitnesses(read, stand);
  if (heard !== undefined) return heard;
  const start = { sequence: head.after, hash: head.previousHash };
  const walk = newTrailWalk(start, stand.witnesses);
  const problem = judgeStart(start, stand) ?? (await walkAll(read, walk));
  if (problem !== undefined) return withLives(problem, kept, head);
  const { sequence, hash } = walk.last();
  return {
    intact: true,
    lines: sequence - head.after,
    from: sequence === head.after ? 0 : head.after + 1,
    to: sequence === head.after ? 0 : sequence,
    headHash: hash,
    signedTo: walk.vouchedFor(),
    key: given.size > 0 ? 'given' : head.publicKeys.length > 0 ? 'stated' : 'none',
  };
}

/** Keys that were given, or stand in the checkpoints that were. */
const keysOf = ({ publicKeys }: KeptOutside): ReadonlyMap<string, string> =>
  publicKeys ?? new Map<string, string>();

async function headOf(read: Reading): Promise<ExportHead> {
  for await (const text of read()) {
    const record = parseRecord(text);
    if (record?.is === 'head') return record.head;
    break;
  }
  throw invalid(
    "this is no audit export: its first line is not the one that 'audit export' writes",
  );
}

async function hearWitnesses(read: Reading, stand: WitnessStand): Promise<Broken | undefined> {
  for await (const text of read()) {
    const record = parseRecord(text);
    if (record?.is !== 'checkpoint') continue;
    const problem = stand.call(record.checkpoint, 'its');
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What came before the first line is not in it; a checkpoint of the line before may vouch for the start. */
function judgeStart(
  { sequence, hash }: { sequence: number; hash: string },
  { witnesses }: WitnessStand,
): Broken | undefined {
  if (sequence === 0 && hash !== '') return broken(1, 'nothing comes before the first line');
  const other = witnesses.get(sequence)?.find((witness) => witness.hash !== hash);
  if (other === undefined) return undefined;
  return broken(sequence + 1, `it does not go on from the line that ${other.who} has seen`);
}

async function walkAll(read: Reading, walk: TrailWalk): Promise<Broken | undefined> {
  for await (const text of read()) {
    const problem = judgeRecord(parseRecord(text), walk);
    if (problem !== undefined) return problem;
  }
  return walk.end();
}

function judgeRecord(record: AuditRecord | undefined, walk: TrailWalk): Broken | undefined {
  const last = walk.last();
  if (record === undefined) return broken(last.sequence + 1, 'here stands something else');
  if (record.is === 'line') return walk.take(record.link);
  if (record.is === 'checkpoint') return undefined;
  // A file that was rotated and put together again has a head for each of its parts.
  const { after, previousHash } = record.head;
  if (after === last.sequence && previousHash === last.hash) return undefined;
  return broken(Math.min(after, last.sequence) + 1, 'a part begins here that does not follow');
}

/** A restore begins another life of the store, in which the numbers of the lines that it lost are given out again. */
function withLives(problem: Broken, kept: KeptOutside, head: ExportHead): Broken {
  const other = kept.checkpoints?.find(({ incarnation }) => incarnation !== head.incarnation);
  if (other === undefined) return problem;
  return { ...problem, problem: withLife(problem.problem, other.incarnation, head) };
}

function withLife(problem: string, incarnation: string, head: ExportHead): string {
  if (incarnation === head.incarnation) return problem;
  return `${problem}; a given checkpoint is of the life ${incarnation} of the store, which a restore has ended, the export of ${head.incarnation}`;
}
