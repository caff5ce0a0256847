/** A short-lived thread that answers one query, so that a scan of a full bucket holds up nobody's event loop. */

import { parentPort, workerData } from 'node:worker_threads';
import type { IssuedToken } from '../ports/journal.ts';
import { readTokens, type TokenQuery } from './read-tokens.ts';

export type ReadAnswer = { readonly tokens: readonly IssuedToken[] } | { readonly failure: string };

const query: TokenQuery = workerData;

function answer(): ReadAnswer {
  try {
    return { tokens: readTokens(query) };
  } catch (error) {
    return { failure: String(error) };
  }
}

parentPort?.postMessage(answer());
