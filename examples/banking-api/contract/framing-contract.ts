/**
 * That caller, gateway and API divide a stream of bytes alike: what one of them takes for a body never becomes a request of its own that
 * nobody asked about, and each answer belongs to its request.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type GatewayProgram, missing } from '../test-kit/gateway.ts';
import { rawText } from '../test-kit/raw-call.ts';
import { NAMED, NO_TOKEN, type Script } from '../test-kit/scripted-authority.ts';
import { scriptedGateway } from '../test-kit/scripted-gateway.ts';

const ONE_TOKEN: Script = (socket, _question, head) => {
  socket.write(/^authorization: bearer good\r?$/im.test(head) ? NAMED : NO_TOKEN);
};

const HOST = 'Host: api.bank.example';
const BEARER = 'Authorization: Bearer good';
const CHUNKED = 'Transfer-Encoding: chunked';

/** Nobody has asked about it: that it reaches the API at all is the failure. */
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n\r\n`;
const post = (lines: readonly string[], body: string): string =>
  `${['POST /first HTTP/1.1', HOST, BEARER, ...lines].join('\r\n')}\r\n\r\n${body}`;
const get = (target: string): string => `GET ${target} HTTP/1.1\r\n${HOST}\r\n${BEARER}\r\n\r\n`;

const length = `Content-Length: ${SMUGGLED.length}`;
const inChunk = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
const behindChunks = `0\r\n\r\n${SMUGGLED}`;
const whole = `Content-Length: ${behindChunks.length}`;

const AMBIGUOUS: Readonly<Record<string, string>> = {
  'a length and chunks, the length longer': post([whole, CHUNKED], behindChunks),
  'chunks and a length, the length longer': post([CHUNKED, whole], behindChunks),
  'chunks and a length, the length shorter': post([CHUNKED, 'Content-Length: 4'], inChunk),
  'chunks under a name with a space': post(['Transfer-Encoding : chunked', whole], behindChunks),
  'chunks under a name with a tab': post(['Transfer-Encoding\t: chunked', whole], behindChunks),
  'chunks after a vertical tab': post(['Transfer-Encoding:\x0bchunked', whole], behindChunks),
  'chunks in quotes': post(['Transfer-Encoding: "chunked"', whole], behindChunks),
  'chunks in capitals': post(['TRANSFER-ENCODING: CHUNKED', whole], behindChunks),
  'chunks under an underscore': post(['Transfer_Encoding: chunked', whole], behindChunks),
  'chunks on a folded line': post(['X: y\r\n Transfer-Encoding: chunked', whole], behindChunks),
  'chunks behind a bare return': post(['X: y\rTransfer-Encoding: chunked', whole], behindChunks),
  'chunks behind a bare line feed': post(['X: y\nTransfer-Encoding: chunked', whole], behindChunks),
  'chunks behind a NUL': post(['X: y\0\r\nTransfer-Encoding: chunked', whole], behindChunks),
  'a coding nobody knows': post(['Transfer-Encoding: xchunked', whole], behindChunks),
  'identity beside a length': post(['Transfer-Encoding: identity', length], SMUGGLED),
  'two codings': post(['Transfer-Encoding: chunked, identity', whole], behindChunks),
  'chunks twice': post([CHUNKED, CHUNKED, whole], behindChunks),
  'two lengths, the second none': post([length, 'Content-Length: 0'], SMUGGLED),
  'two lengths, the first none': post(['Content-Length: 0', length], SMUGGLED),
  'the same length twice': post([length, length], SMUGGLED),
  'a list of lengths': post([`Content-Length: ${SMUGGLED.length}, 0`], SMUGGLED),
  'a length with a sign': post([`Content-Length: +${SMUGGLED.length}`], SMUGGLED),
  'a length below nothing': post(['Content-Length: -1'], SMUGGLED),
  'a length in hexadecimal': post([`Content-Length: 0x${SMUGGLED.length.toString(16)}`], SMUGGLED),
  'a length with a space inside': post(['Content-Length: 0 1'], SMUGGLED),
  'a chunk size that overflows': post([CHUNKED], `10000000000000000\r\n${behindChunks}`),
  'a chunk size with an extension of two lines': post([CHUNKED], `0;a\nb\r\n\r\n${SMUGGLED}`),
  'a chunk without its end': post([CHUNKED], `1\r\nab0\r\n\r\n${SMUGGLED}`),
  'chunks that end by line feeds': post([CHUNKED], `0\n\n${SMUGGLED}`),
  'a trailer that is a length': post([CHUNKED], `0\r\nContent-Length: 999\r\n\r\n${SMUGGLED}`),
  'a body on a GET': `GET /first HTTP/1.1\r\n${HOST}\r\n${BEARER}\r\n${length}\r\n\r\n${SMUGGLED}`,
  'chunks in HTTP/1.0': `POST /first HTTP/1.0\r\n${HOST}\r\n${BEARER}\r\n${CHUNKED}\r\n${whole}\r\n\r\n${behindChunks}`,
  'a go-ahead nobody waits for': post(['Expect: 100-continue', length], SMUGGLED),
  'an upgrade beside a body': post(['Upgrade: websocket', 'Connection: Upgrade', length], SMUGGLED),
  'two Hosts': post(['Host: evil.example', length], SMUGGLED),
  'what stands behind a whole request': `${get('/first')}${SMUGGLED}`,
};

/** What the API said had reached it, in the order of the answers. */
function served(text: string): readonly string[] {
  return [...text.matchAll(/\{"method":"[A-Z]+","url":"([^"]+)"/g)].map(([, url = '']) => url);
}

export function framingContract(program: GatewayProgram): void {
  describe(`${program.name} and how bytes divide`, { skip: missing(program) ?? false }, () => {
    const stage = scriptedGateway(program);

    test('requests behind one another are answered in their order, and one without a token is not served', async () => {
      const { authority, gateway } = stage();
      authority.play(ONE_TOKEN);
      const text = await rawText(gateway.port, get('/a') + SMUGGLED + get('/b') + get('/c'));
      assert.deepEqual(served(text), ['/a', '/b', '/c']);
      assert.match(text, /HTTP\/1\.1 401/);
    });

    for (const [name, bytes] of Object.entries(AMBIGUOUS)) {
      test(`T-57: ${name}: nothing smuggled reaches the API, and the next answer belongs to the next request`, async () => {
        const { authority, gateway, echo } = stage();
        authority.play(ONE_TOKEN);
        const count = echo.arrived.length;
        const text = await rawText(gateway.port, bytes + get('/next'));
        // On connections that are used again between gateway and API, others would get the wrong answers now.
        for (const target of ['/other/1', '/other/2', '/other/3']) {
          const other = get(target).replace(HOST, `${HOST}\r\nConnection: close`);
          assert.deepEqual(served(await rawText(gateway.port, other)), [target]);
        }
        const urls = echo.arrived.slice(count).map(({ url }) => url);
        assert.ok(!urls.includes('/smuggled'), text);
        const own = served(text);
        const inOrder = ['/first', '/next'].filter((url) => own.includes(url));
        assert.deepEqual(own, inOrder, text);
      });
    }
  });
}
