import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { auditHash } from '../ports/audit-chain.ts';
import type { AuditLink } from '../ports/audit-trail.ts';
import { verifyAudit } from './verify-audit.ts';

type Trail = { readonly links: readonly AuditLink[]; head: { sequence: number; hash: string } };

function trailOf(count: number): Trail {
  const links: AuditLink[] = [];
  let hash = '';
  for (let sequence = 1; sequence <= count; sequence++) {
    const line = JSON.stringify({ actor: 'cli:ada@desk', action: 'program.create', sequence });
    hash = auditHash(hash, sequence, line);
    links.push({ sequence, line, hash });
  }
  return { links, head: { sequence: count, hash } };
}

/** The reads of the trail over an array, paged as a store pages them. */
function reading({ links, head }: Trail): Parameters<typeof verifyAudit>[0] {
  return {
    checkpoints: {
      add: () => Promise.resolve(),
      latest: () => Promise.resolve(undefined),
      list: () => Promise.resolve([]),
      signingKeys: () => Promise.resolve([]),
    },
    audit: {
      lines: () => Promise.resolve([]),
      chain: ({ after, limit }) =>
        Promise.resolve(links.filter(({ sequence }) => sequence > after).slice(0, limit)),
      head: () => Promise.resolve({ ...head, incarnation: 'life' }),
    },
  };
}

const verify = (trail: Trail) => verifyAudit(reading(trail));

async function firstBad(trail: Trail): Promise<number> {
  const verdict = await verify(trail);
  assert.ok(!verdict.intact, 'tampering was not seen');
  return verdict.firstBad;
}

test('an untouched trail is intact, over page borders too', async () => {
  for (const count of [0, 1, 2, 999, 1000, 1001, 2500]) {
    const trail = trailOf(count);
    const verdict = await verify(trail);
    assert.deepEqual(verdict, {
      intact: true,
      lines: count,
      headHash: trail.head.hash,
      signedTo: 0,
    });
  }
});

test('an edited line is found at its number', async () => {
  const { links, head } = trailOf(1500);
  for (const at of [1, 2, 1000, 1001, 1500]) {
    const edited = links.map((link) =>
      link.sequence === at ? { ...link, line: link.line.replace('ada', 'eve') } : link,
    );
    assert.equal(await firstBad({ links: edited, head }), at);
  }
});

test('an edited line with a hash to fit is found at the line after it, or at the recorded end', async () => {
  const { links, head } = trailOf(9);
  for (const [at, expected] of [
    [4, 5],
    [9, 9],
  ] as const) {
    const forged = links.map((link, index) => {
      if (link.sequence !== at) return link;
      const line = link.line.replace('ada', 'eve');
      return { ...link, line, hash: auditHash(links[index - 1]?.hash ?? '', at, line) };
    });
    assert.equal(await firstBad({ links: forged, head }), expected);
  }
});

test('a line that was taken out is missing at its number', async () => {
  const { links, head } = trailOf(9);
  for (const at of [1, 5, 9]) {
    const without = links.filter(({ sequence }) => sequence !== at);
    assert.equal(await firstBad({ links: without, head }), at);
  }
});

test('lines that changed places are found at the first of them', async () => {
  const { links, head } = trailOf(9);
  const swapped = links.map((link) => {
    const other = link.sequence === 3 ? links[5] : link.sequence === 6 ? links[2] : link;
    return { ...link, line: other!.line, hash: other!.hash };
  });
  assert.equal(await firstBad({ links: swapped, head }), 3);
});

test('a cut tail is found against the recorded end', async () => {
  const { links, head } = trailOf(9);
  assert.equal(await firstBad({ links: links.slice(0, 6), head }), 7);
  assert.equal(await firstBad({ links: [], head }), 1);
});

test('lines behind the recorded end are found', async () => {
  const { links } = trailOf(9);
  const head = { sequence: 7, hash: links[6]!.hash };
  assert.equal(await firstBad({ links, head }), 8);
});

test('whatever single line changes in whatever way, the verdict names it or the one after it', async () => {
  const { links, head } = trailOf(12);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.string({ maxLength: 40 }),
      fc.boolean(),
      async (at, line, refit) => {
        const previous = links[at - 2]?.hash ?? '';
        const changed = links.map((link) => {
          if (link.sequence !== at) return link;
          return { ...link, line, hash: refit ? auditHash(previous, at, line) : link.hash };
        });
        const bad = await firstBad({ links: changed, head });
        assert.ok(bad === at || bad === at + 1);
      },
    ),
    { numRuns: 200 },
  );
});
