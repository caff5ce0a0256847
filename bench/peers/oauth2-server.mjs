/** @node-oauth/oauth2-server on bare `node:http`, in memory: /token, and /verify as its `authenticate`. It has no introspection. */

import OAuth2Server from '@node-oauth/oauth2-server';
import { MODEL } from './oauth2-server-model.mjs';
import { answer, listen, readForm } from './the-client.mjs';

const server = new OAuth2Server(/** @type {any} */ ({ model: MODEL }));

listen(async (request, response) => {
  const { headers, method } = request;
  const isToken = request.url === '/token';
  const body = isToken ? await readForm(request) : {};
  const asked = new OAuth2Server.Request(/** @type {any} */ ({ headers, method, query: {}, body }));
  const told = new OAuth2Server.Response({ headers: {} });
  if (!isToken) {
    await server.authenticate(asked, told);
    return answer(response, { body: {} });
  }
  await server.token(asked, told);
  answer(response, /** @type {any} */ (told));
});
