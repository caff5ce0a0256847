/** What a rule of the house is: a name, and a pure function from the parsed house to what breaks it. */

import type { House } from './source.ts';

export type Finding = {
  readonly path: string;
  readonly line: number;
  /** What is wrong and how to mend it, in one sentence or two. */
  readonly mend: string;
};

export type Rule = {
  readonly name: string;
  readonly find: (house: House) => readonly Finding[];
};
