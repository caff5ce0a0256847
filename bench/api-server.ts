/** An API to be measured: one handler, open and behind the guard of a framework that remembers. Tells its port on its first line. */

import { ADAPTERS } from '../examples/banking-api/test-kit/adapters.ts';
import { createVerifier } from '../resource-server/src/index.ts';

const [, , name = ''] = process.argv;
const { ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '' } = process.env;
const adapter = ADAPTERS.find((one) => one.name === name);
if (adapter === undefined) throw new Error(`there is no adapter ${name}`);

let questions = 0;
const verifier = createVerifier({
  ...{ issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, revocations: true },
  onOutage: ({ code, message }) => {
    // Who stood still while others had their turns has lost its stream, and takes it up again.
    if (code !== 'stream-lost') console.error(message);
  },
  fetch: (input, init) => {
    if (String(input).endsWith('/introspect')) questions += 1;
    return fetch(input, init);
  },
});
/** As long as the guarded answer, so that both write as many bytes. */
const open = JSON.stringify({ of: 'program_'.padEnd(24, 'x') });
const { port } = await adapter.serve([
  { path: '/open', guard: undefined, handle: () => open },
  {
    path: '/guarded',
    guard: { verifier },
    handle: (who) => JSON.stringify({ of: who().programId }),
  },
  { path: '/questions', guard: undefined, handle: () => String(questions) },
]);
console.log(port);
