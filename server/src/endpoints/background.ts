/** Work that no answer waits for: bounded, its failures logged. What does not fit is dropped, so it must be work that comes again. */

import type { Log } from '../ports/log.ts';

const TASKS_MAX = 16;

export type Background = {
  run(name: string, task: () => Promise<void>): void;
};

export function newBackground(log: Log): Background {
  let underWay = 0;
  return {
    run: (name, task) => {
      if (underWay >= TASKS_MAX) return;
      underWay += 1;
      task()
        .catch((error: Error) => log.error({ task: name, cause: error.message }, 'not done'))
        .finally(() => {
          underWay -= 1;
        });
    },
  };
}
