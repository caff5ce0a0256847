/**
 * The pages of a claim: plain, self-contained and readable without a script, a font or a picture. They are told what to say; nothing is
 * decided here.
 */

import { hash } from 'node:crypto';
import type { Answer } from '../endpoints/exchange.ts';
import { type Html, html } from './html.ts';

const STYLE = html`:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
dt { font-weight: 600; margin-top: 0.75rem; }
dd { margin: 0; }
code, pre { font-family: ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
pre, .secret { display: block; padding: 0.75rem; border: 1px solid; border-radius: 0.25rem; }
label { display: block; font-weight: 600; margin-top: 1rem; }
input { font: inherit; padding: 0.5rem; width: 100%; max-width: 20rem; box-sizing: border-box; }
button { font: inherit; font-weight: 600; padding: 0.5rem 1rem; margin: 1rem 0; cursor: pointer; }
.problem { border-left: 0.25rem solid #b00020; padding-left: 0.75rem; }
`;

/**
 * The code stands in the URL: no page is told where this one was, none may show it in a frame, and nothing but the style that stands in
 * it is loaded or run.
 */
const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    `default-src 'none'; style-src 'sha256-${hash('sha256', String(STYLE), 'base64')}'; form-action 'self'; ` +
    "frame-ancestors 'none'; base-uri 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'X-Robots-Tag': 'noindex, nofollow',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** What the pages say of a claim. */
export type About = {
  readonly clientName: string;
  readonly clientId: string;
  readonly environment: string;
  readonly tokenEndpoint: string;
};

export type Prompt = {
  readonly needsPassphrase: boolean;
  /** After a wrong passphrase. */
  readonly isRetry?: boolean;
  /** Where wrong ones are counted. */
  readonly attemptsLeft?: number;
};

/** An unused claim: nothing is used up by looking at it. */
export function openPage(about: About, claim: Prompt & { readonly expiresAtMs: number }): Answer {
  return page(claim.isRetry ? 403 : 200, {
    title: 'Your client secret is ready',
    body: html`<p>This page shows the secret of <strong><bdi>${about.clientName}</bdi></strong> in the
environment <strong>${about.environment}</strong>, once. It is made when you press the button; nobody else has seen it.</p>
<p>Have the place at hand where you will keep it. Looking at this page uses nothing up: the link is good until
${time(claim.expiresAtMs)} or until the button is pressed.</p>
${form({ ...claim, action: 'reveal', button: 'Show the secret' })}`,
  });
}

/** The one page with the secret. */
export function revealedPage(
  about: About,
  made: {
    readonly clientSecret: string;
    readonly expiresAtMs: number | undefined;
    /** Of a rotation: how long the earlier secrets stay good. */
    readonly overlapMs: number | undefined;
    /** Every node knows the secret already. */
    readonly isEverywhere: boolean;
  },
): Answer {
  return page(200, {
    title: 'Your client credentials',
    body: html`<p><strong>Store the secret now.</strong> It is shown this once: the link is dead, and nobody can show the secret
again.</p>
<dl>
<dt>client_id</dt><dd><code>${about.clientId}</code></dd>
<dt>client_secret</dt><dd><code class="secret">${made.clientSecret}</code></dd>
<dt>token endpoint</dt><dd><code>${about.tokenEndpoint}</code></dd>
<dt>ends</dt><dd>${made.expiresAtMs === undefined ? 'not by itself' : time(made.expiresAtMs)}</dd>
</dl>
${made.overlapMs === undefined ? undefined : overlapText(made.overlapMs)}
${made.isEverywhere ? undefined : html`<p>It may take up to a minute until every server knows the secret.</p>`}
<h2>Try it</h2>
<p>With the secret alone in a file <code>secret.txt</code>, without a line break at its end, so that it stands in no history and no
list of processes:</p>
<pre>curl --data grant_type=client_credentials \\
  --data client_id=${about.clientId} \\
  --data-urlencode client_secret@secret.txt \\
  ${about.tokenEndpoint}</pre>
<p>The secret goes into the body of the request, never into a URL, a chat, a ticket or a repository.</p>`,
  });
}

/** A used claim: whoever meets it unexpectedly can stop what somebody else was given. */
export function usedPage(
  about: About,
  used: Prompt & {
    readonly atMs: number;
    readonly from: string;
    readonly mayStop: boolean;
  },
): Answer {
  return page(used.isRetry ? 403 : 410, {
    title: 'This link was used',
    body: html`<p>The secret of <strong><bdi>${about.clientName}</bdi></strong> (<code>${about.clientId}</code>) was shown at
<strong>${time(used.atMs)}</strong> to the address <strong>${used.from}</strong>. It cannot be shown again.</p>
<p>If that was you and the page with the secret never arrived, or is lost: ask for a new link, and stop this secret.</p>
<p><strong>If it was not you, somebody else has the secret.</strong> Stop it now, and tell whoever sent you the link.</p>
${
  used.mayStop
    ? form({ ...used, action: 'stop', button: 'Stop this secret' })
    : html`<p>To have it stopped, contact whoever sent you the link.</p>`
}
<p>Stopping ends the secret and every token that it got. Other secrets of the client go on working.</p>`,
  });
}

export function stoppedPage(about: About): Answer {
  return page(200, {
    title: 'The secret is stopped',
    body: html`<p>The secret that this link showed for <strong><bdi>${about.clientName}</bdi></strong>
(<code>${about.clientId}</code>) gets no token any more, and every token that it got is dead. Ask whoever sent you the link for a new
one.</p>`,
  });
}

/** What is the matter, and what to do: a text of ours alone. */
export function noticePage(notice: {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}): Answer {
  const { status, text, headers } = notice;
  const title = status < 500 ? 'This link shows nothing now' : 'Please try again in a moment';
  const answer = page(status, { title, body: html`<p>${text}</p>` });
  return { ...answer, headers: { ...headers, ...answer.headers } };
}

/** Posts to the URL that it stands at. */
function form(of: Prompt & { readonly action: 'reveal' | 'stop'; readonly button: string }): Html {
  const { needsPassphrase, isRetry = false, attemptsLeft } = of;
  const left = attemptsLeft === undefined ? '' : ` Attempts left: ${attemptsLeft}.`;
  const problem = isRetry
    ? html`<p class="problem" role="alert">The passphrase was wrong.${left}</p>`
    : undefined;
  const passphrase = html`<label for="passphrase">Passphrase</label>
<p id="hint">It came to you on another way than the link, such as <code>k7mw-p3hx-9q4t</code>. Case and hyphens do not matter.</p>
<input id="passphrase" name="passphrase" aria-describedby="hint" required maxlength="64" autocomplete="off" autocapitalize="none"
spellcheck="false">`;
  return html`<form method="post">
${problem}${needsPassphrase ? passphrase : undefined}
<input type="hidden" name="action" value="${of.action}">
<div><button type="submit">${of.button}</button></div>
</form>`;
}

function overlapText(overlapMs: number): Html {
  if (overlapMs === 0) return html`<p>The earlier secrets of the client have ended.</p>`;
  const hours = Math.floor(overlapMs / 3_600_000);
  const left = hours > 0 ? `${hours} h` : `${Math.floor(overlapMs / 60_000)} min`;
  return html`<p>The earlier secrets of the client go on working for ${left}: change over within that time.</p>`;
}

function time(atMs: number): Html {
  const iso = new Date(atMs).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

function page(status: number, { title, body }: { title: string; body: Html }): Answer {
  const text = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  return { status, headers: HEADERS, body: String(text) };
}
