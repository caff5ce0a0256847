/** Keeps ticks of the event loop as fast as they are in a process that has just begun. Knows nothing of what ticks are for. */

import { executionAsyncResource } from 'node:async_hooks';

const kept: object[] = [];

/**
 * Holds the object of one `process.nextTick` for good. V8 drops the layout of objects of which none is left when it collects, and what it
 * had learnt about making them with it: the code of nextTick then makes each by a general way that takes six times as long, five times a
 * request. One that stays keeps the layout. To be called before the first collection.
 */
export function keepTickShape(): void {
  process.nextTick(() => kept.push(executionAsyncResource()));
}
