/** What a history did, boiled down to one number: two runs of the same seed must come to the same. */

export type Trace = {
  note(what: string, atMs: number): void;
  readonly hash: string;
  readonly notes: number;
};

/** FNV-1a in two lanes. `tell` is given each note as well, for somebody who wants to read along. */
export function newTrace(tell?: (line: string) => void): Trace {
  let [one, other, notes] = [0x811c9dc5, 0x9e3779b9, 0];
  const add = (code: number): void => {
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other ^ code, 0x85ebca6b) ^ (other >>> 13);
  };
  return {
    note: (what, atMs) => {
      notes += 1;
      add(Math.floor(atMs * 1_000) | 0);
      for (let at = 0; at < what.length; at += 1) add(what.charCodeAt(at));
      tell?.(`${atMs.toFixed(1).padStart(9)}  ${what}`);
    },
    get hash() {
      return [one, other].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
    },
    get notes() {
      return notes;
    },
  };
}
