/** Whether a server grew while it was watched. Pure. */

import { spreadOf } from './figures.ts';

export type Sample = {
  readonly atSeconds: number;
  readonly mib: number;
  readonly descriptors: number;
};

/** What a median of many samples may differ by without anything having grown. */
const GROWTH_MAX = 1.1;
const DESCRIPTORS_MORE_MAX = 8;

type Thirds = { readonly second: number; readonly last: number };

/** Medians: a collector's high tide is no leak. The first third is the way up. */
export function thirdsOf(samples: readonly Sample[], of: 'mib' | 'descriptors'): Thirds {
  const third = Math.floor(samples.length / 3);
  const median = (part: readonly Sample[]): number => spreadOf(part.map((one) => one[of])).median;
  return { second: median(samples.slice(third, 2 * third)), last: median(samples.slice(-third)) };
}

/** What grew; none: nothing did. */
export function growthIn(samples: readonly Sample[]): readonly string[] {
  const complaints: string[] = [];
  const memory = thirdsOf(samples, 'mib');
  const descriptors = thirdsOf(samples, 'descriptors');
  if (memory.last > memory.second * GROWTH_MAX) complaints.push('memory grows');
  if (descriptors.last > descriptors.second + DESCRIPTORS_MORE_MAX) {
    complaints.push('descriptors grow');
  }
  return complaints;
}
