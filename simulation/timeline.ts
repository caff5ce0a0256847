/**
 * Simulated time: one queue of events in the order of their time. Between two events every promise that can go on goes on, so
 * that a run depends on nothing but the events. Knows no real clock.
 */

export type Timeline = {
  readonly nowMs: number;
  /** Events run so far. */
  readonly events: number;
  after(delayMs: number, run: () => void): void;
  /** Runs the events up to `untilMs`, each with all that follows from it before the next. */
  run(untilMs: number): Promise<void>;
};

type Event = { readonly atMs: number; readonly order: number; readonly run: () => void };

export function newTimeline(): Timeline {
  const queue: Event[] = [];
  let nowMs = 0;
  let order = 0;
  let events = 0;

  const runUntil = (
    untilMs: number,
    end: { resolve: () => void; reject: (e: unknown) => void },
  ) => {
    const step = (): void => {
      const event = queue[0];
      if (event === undefined || event.atMs > untilMs) {
        nowMs = untilMs;
        end.resolve();
        return;
      }
      takeFirst(queue);
      nowMs = event.atMs;
      events += 1;
      try {
        event.run();
      } catch (error) {
        end.reject(error);
        return;
      }
      // A tick asked for by a microtask comes once there is no microtask left: cheaper than a turn of the event loop.
      queueMicrotask(nextStep);
    };
    const nextStep = (): void => process.nextTick(step);
    step();
  };

  return {
    get nowMs() {
      return nowMs;
    },
    get events() {
      return events;
    },
    after: (delayMs, run) => {
      order += 1;
      insert(queue, { atMs: nowMs + Math.max(0, delayMs), order, run });
    },
    run: (untilMs) =>
      new Promise((resolve, reject) =>
        process.nextTick(() => runUntil(untilMs, { resolve, reject })),
      ),
  };
}

const isBefore = (one: Event, other: Event): boolean =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);

/** The queue is a binary heap. */
function insert(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Event;
    if (!isBefore(event, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function takeFirst(heap: Event[]): void {
  const last = heap.pop() as Event;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    const left = heap[child];
    if (left === undefined) break;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, left)) child += 1;
    const below = heap[child] as Event;
    if (!isBefore(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
}
