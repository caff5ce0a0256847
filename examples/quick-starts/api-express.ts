/** An API on Express with one guarded route. */

import { createVerifier } from '@countersign/resource-server';
import { newGuard, requireIdentity } from '@countersign/resource-server/express';
import express from 'express';

const { ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', PORT } = process.env;
const verifier = createVerifier({
  issuer: ISSUER,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  onOutage: ({ message }) => console.error(message),
});

const app = express();
app.get('/accounts', newGuard(verifier, { scope: 'accounts:read' }), (request, response) => {
  response.json({ of: requireIdentity(request).programId });
});
app.listen(Number(PORT));
