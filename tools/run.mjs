/** `node tools/run.mjs SCRIPT …`: sets the checkout up if need be, then runs SCRIPT under the project's own Node. */

import { launch } from '../server/bin/launch.mjs';
import { environment, setUp } from './setup.mjs';

try {
  launch(await setUp(), process.argv.slice(2), environment());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
