/** What the bench of sizes prints: a line a size, and how flat the figures are over all of them. Pure. */

import { type Figures, type Series, type Spread, spreadOf } from './figures.ts';
import type { Size } from './installation.ts';
import type { Runner } from './rounds.ts';
import { QUESTIONS } from './subjects.ts';

export type Sized = {
  readonly size: Size;
  /** With the machine to itself, and with all of its threads on one core. */
  readonly firstTokenMs: Spread;
  readonly oneCoreMs: Spread;
  /** After the first token, and after the load; undefined where the system does not tell. */
  readonly idleMiB: number | undefined;
  readonly loadedMiB: number | undefined;
  /** Beside the bare server, in the order of the questions. */
  readonly figures: readonly Figures[];
};

const PATHS = QUESTIONS.map(({ kind }) => `/${kind}`);
const WIDTHS = [9, 11, 8, 11, 11, 8, 8, 7, 12, 8];
const NAME_WIDTH = 30;
/** How far the median of one size may be from that of the first. */
const FLATNESS = 0.1;

/** Tells one size from another, in names of subjects and of folders. */
export function nameOf({ clients, journalRows, revoked }: Size): string {
  return [
    `${clients} clients`,
    ...(journalRows > 0 ? [`${journalRows} rows`] : []),
    ...(revoked > 0 ? [`${revoked} revoked`] : []),
  ].join(', ');
}

/** From the runners of each size to those of each question. */
export function byKind(sizes: readonly (readonly Runner[])[]): readonly Runner[] {
  return QUESTIONS.flatMap((_, at) => sizes.flatMap((runners) => runners[at] ?? []));
}

/** The same rounds, but each size compared with the first one instead of the bare server. */
export function besideFirst(all: readonly Series[], first: Size): readonly Series[] {
  return QUESTIONS.flatMap(({ name }) =>
    all
      .filter(({ subject }) => subject.name.startsWith(`${name}, `))
      .map(({ subject, rounds }) => ({
        subject: { ...subject, beside: `${name}, ${nameOf(first)}` },
        rounds,
      })),
  );
}

/** All questions to one size, in their order. */
export function ofSize(figures: readonly Figures[], size: Size): readonly Figures[] {
  return QUESTIONS.flatMap(
    ({ name }) => figures.find(({ subject }) => subject.name === `${name}, ${nameOf(size)}`) ?? [],
  );
}

export function sizeTableOf(sized: readonly Sized[]): string {
  const head = [
    'clients',
    'journal',
    'revoked',
    'first token',
    'on one core',
    'idle',
    'loaded',
    ...PATHS,
  ];
  return [aligned(head), ...sized.map(lineOf)].join('\n');
}

function lineOf({ size, firstTokenMs, oneCoreMs, idleMiB, loadedMiB, figures }: Sized): string {
  const count = (n: number): string => n.toLocaleString('en');
  const mib = (n: number | undefined): string => (n === undefined ? '' : `${n.toFixed(0)} MiB`);
  return aligned([
    ...[count(size.clients), count(size.journalRows), count(size.revoked)],
    ...[firstTokenMs, oneCoreMs].map(({ median }) => `${median.toFixed(0)} ms`),
    ...[mib(idleMiB), mib(loadedMiB)],
    ...figures.map(({ ratio }) => ratio.median.toFixed(2)),
  ]);
}

/** How each question fares at each size beside the first size of the same round, and whether that is within the goal. */
export function flatnessOf(sized: readonly Sized[], beside: readonly Figures[]): string {
  const head = 'beside the first, in the same rounds: median (lowest–highest)';
  const lines = sized.slice(1).map(({ size }) => {
    const ratios = ofSize(beside, size).map(({ ratio }, at) => `${PATHS[at]} ${rangeOf(ratio)}`);
    return [nameOf(size).padEnd(NAME_WIDTH), ...ratios].join('  ');
  });
  const { min, max } = spreadOf(beside.map(({ ratio }) => ratio.median));
  const isFlat = 1 - min <= FLATNESS && max - 1 <= FLATNESS;
  const verdict = `From ${min.toFixed(2)} to ${max.toFixed(2)} of the first: ${isFlat ? 'within' : 'beyond'} 10 %.`;
  return [head, ...lines, verdict].join('\n');
}

function rangeOf({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function aligned(cells: readonly string[]): string {
  return cells.map((cell, at) => cell.padStart(WIDTHS[at] ?? 0)).join('  ');
}
