/** @node-oauth/oauth2-server with Express, in memory: /token, and /verify as its `authenticate`. It has no introspection. */

import OAuth2Server from '@node-oauth/oauth2-server';
import express from 'express';
import { MODEL } from './oauth2-server-model.mjs';
import { PORT } from './the-client.mjs';

const server = new OAuth2Server(/** @type {any} */ ({ model: MODEL }));
const app = express();

app.post('/token', express.urlencoded({ extended: false }), async (request, response) => {
  const told = new OAuth2Server.Response(response);
  await server.token(new OAuth2Server.Request(request), told);
  response
    .set(told.headers)
    .status(told.status ?? 200)
    .json(told.body);
});
app.get('/verify', async (request, response) => {
  await server.authenticate(new OAuth2Server.Request(request), new OAuth2Server.Response(response));
  response.json({});
});
app.listen(PORT, '127.0.0.1');
