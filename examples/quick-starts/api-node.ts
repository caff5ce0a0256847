/** An API on `node:http` with one guarded route. */

import { createServer } from 'node:http';
import { createVerifier } from '@countersign/resource-server';
import { newGuard } from '@countersign/resource-server/node';

const { ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', PORT } = process.env;
const verifier = createVerifier({
  issuer: ISSUER,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  onOutage: ({ message }) => console.error(message),
});

const guard = newGuard(verifier, { scope: 'accounts:read' });
createServer(async (request, response) => {
  const identity = await guard(request, response);
  if (identity === undefined) return; // it has been answered
  response.end(JSON.stringify({ of: identity.programId }));
}).listen(Number(PORT));
