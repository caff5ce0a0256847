/** Finds what a JSON parser drops without a word: the earlier of two members with one name. */

/** Strings, and what nests and parts: all that matters in a text that is known to be JSON. */
const PARTS = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;

/** Whether an object anywhere in this JSON text has two members of one name. */
export function hasRepeatedMember(json: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  for (const [part, colon] of json.matchAll(PARTS)) {
    if (part === '{') open.push(new Set());
    else if (part === '[') open.push(undefined);
    else if (part === '}' || part === ']') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(part.slice(0, -colon.length)) as string;
      const names = open.at(-1);
      if (names?.has(name) === true) return true;
      names?.add(name);
    }
  }
  return false;
}
