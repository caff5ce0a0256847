/** An API on Hono, served by Node, with one guarded route. */

import { createVerifier } from '@countersign/resource-server';
import { newGuard } from '@countersign/resource-server/hono';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const { ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', PORT } = process.env;
const verifier = createVerifier({
  issuer: ISSUER,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  onOutage: ({ message }) => console.error(message),
});

const app = new Hono();
const guard = newGuard(verifier, { scope: 'accounts:read' });
app.get('/accounts', guard, (c) => c.json({ of: c.var.identity.programId }));
serve({ fetch: app.fetch, port: Number(PORT) });
