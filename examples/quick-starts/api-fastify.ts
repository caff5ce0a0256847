/** An API on Fastify with one guarded route. */

import { createVerifier } from '@countersign/resource-server';
import { newGuard, withIdentity } from '@countersign/resource-server/fastify';
import fastify from 'fastify';

const { ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', PORT } = process.env;
const verifier = createVerifier({
  issuer: ISSUER,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  onOutage: ({ message }) => console.error(message),
});

const app = fastify().register(withIdentity);
const guard = newGuard(verifier, { scope: 'accounts:read' });
app.get('/accounts', { onRequest: guard }, (request) => ({ of: request.identity.programId }));
await app.listen({ port: Number(PORT) });
