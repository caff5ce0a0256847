/** Finds the word that was probably meant. */

/** A word further off than this was not meant. */
const DISTANCE_MAX = 2;
const WORD_LENGTH_MAX = 32;

/** The nearest of the known words, if it is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  const [best] = known
    .map((candidate) => ({ candidate, distance: distanceOf(word, candidate) }))
    .filter(({ candidate, distance }) => distance <= Math.min(DISTANCE_MAX, candidate.length / 2))
    .sort((one, other) => one.distance - other.distance);
  return best?.candidate ?? known.find((one) => word.length >= 3 && one.startsWith(word));
}

/** Levenshtein's: how many characters to insert, drop or replace. */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, char] of [...from].entries()) {
    const next = [index + 1];
    for (let at = 1; at <= to.length; at++) {
      const replaced = (row[at - 1] ?? 0) + (char === to[at - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
