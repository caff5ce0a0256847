/** Lays figures out for people: one line a subject, columns aligned. */

import type { Figures, Spread } from './figures.ts';

const HEAD = ['', 'requests/s', 'of bare', 'floor', 'target', 'p50 ms', 'p99 ms', 'CPU µs'];

/** The table of a bench: medians, with the lowest and the highest round in parentheses. */
export function tableOf(figures: readonly Figures[]): string {
  const lines = [HEAD, ...figures.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => width(line[column]))));
  return lines.map((line) => aligned(line, widths)).join('\n');
}

function cellsOf(figures: Figures): readonly string[] {
  const { subject, processorUs } = figures;
  return [
    subject.name,
    withRange(figures.requestsPerSecond, (value) => Math.round(value).toLocaleString('en')),
    withRange(figures.ratio, (value) => value.toFixed(2)),
    subject.floor?.toFixed(2) ?? '',
    subject.target?.toFixed(2) ?? '',
    figures.p50Ms.median.toFixed(2),
    figures.p99Ms.median.toFixed(2),
    processorUs === undefined ? '' : withRange(processorUs, (value) => value.toFixed(1)),
  ];
}

function withRange({ median, min, max }: Spread, show: (value: number) => string): string {
  return `${show(median)} (${show(min)}–${show(max)})`;
}

/** Names to the left, figures to the right. */
function aligned(line: readonly string[], widths: readonly number[]): string {
  const cells = widths.map((wide, column) => {
    const cell = line[column] ?? '';
    return column === 0 ? cell.padEnd(wide) : cell.padStart(wide);
  });
  return cells.join('  ').trimEnd();
}

function width(cell: string | undefined): number {
  return cell?.length ?? 0;
}
