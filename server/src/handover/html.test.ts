import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { html } from './html.ts';

test('nothing that is put into a page can leave its place, in text or in an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const page = String(html`<p title="${text}">${text}</p>`);
      const [, attribute = '', inner = ''] = /^<p title="([^"]*)">([^<]*)<\/p>$/s.exec(page) ?? [];
      const entities = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };
      for (const escaped of [attribute, inner]) {
        assert.doesNotMatch(escaped, /[<>"']/);
        const read = escaped.replace(
          /&(amp|lt|gt|quot|#39);/g,
          (entity) => entities[entity as keyof typeof entities],
        );
        assert.equal(read, text);
      }
    }),
  );
});

test('HTML goes into HTML as it is, lists of it too, and what is absent is nothing', () => {
  const name = '<b>';
  const items = [html`<li>${name}</li>`, html`<li>${1}</li>`];
  assert.equal(
    String(html`<ul>${items}</ul>${undefined}`),
    '<ul><li>&lt;b&gt;</li><li>1</li></ul>',
  );
});
