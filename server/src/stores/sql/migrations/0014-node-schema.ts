/** Which schema the program of a node knows, so that nothing is taken away that it still needs. 0: it is older than this step. */

import type { Migration } from './dialect.ts';

export const nodeSchema: Migration = ({ int }) =>
  `ALTER TABLE nodes ADD COLUMN schema ${int} NOT NULL DEFAULT 0;`;
