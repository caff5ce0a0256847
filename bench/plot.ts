/** Draws ratios as horizontal bars, bare = 1, in an SVG that reads on light and on dark. Measures nothing. */

export type Bar = { readonly name: string; readonly ratio: number; readonly isOurs: boolean };
export type Group = { readonly title: string; readonly bars: readonly Bar[] };

const WIDTH = 860;
const LABEL_WIDTH = 300;
const BAR_WIDTH_MAX = 480;
const LINE_HEIGHT = 24;
const BAR_HEIGHT = 14;
const GROUP_GAP = 20;
const MARGIN = 16;

/** Both colours and the grey of the text stand out from white and from near-black. */
const STYLE = [
  'text { font: 13px system-ui, sans-serif; fill: #59636e; }',
  '.title { font-weight: 600; }',
  '.ours { fill: #2f81f7; } .other { fill: #8b949e; } line { stroke: #8b949e; }',
  '@media (prefers-color-scheme: dark) { text { fill: #b1bac4; } }',
].join(' ');

/** One chart; a group for each question. */
export function plotOf(caption: string, groups: readonly Group[]): string {
  const parts: string[] = [];
  let y = MARGIN + LINE_HEIGHT;
  for (const { title, bars } of groups) {
    parts.push(`<text class="title" x="${MARGIN}" y="${y}">${escaped(title)}</text>`);
    y += LINE_HEIGHT;
    for (const bar of bars) {
      parts.push(barAt(bar, y));
      y += LINE_HEIGHT;
    }
    y += GROUP_GAP;
  }
  const right = LABEL_WIDTH + BAR_WIDTH_MAX;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">`,
    `<title>${escaped(caption)}</title>`,
    `<style>${STYLE}</style>`,
    `<line x1="${right}" x2="${right}" y1="${MARGIN}" y2="${y - GROUP_GAP}" stroke-dasharray="3 3"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function barAt({ name, ratio, isOurs }: Bar, y: number): string {
  const width = Math.max(1, Math.min(1, ratio) * BAR_WIDTH_MAX).toFixed(1);
  const kind = isOurs ? 'ours' : 'other';
  const value = ratio < 0.1 ? ratio.toFixed(3) : ratio.toFixed(2);
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${y}" text-anchor="end">${escaped(name)}</text>`,
    `<rect class="${kind}" x="${LABEL_WIDTH}" y="${y - BAR_HEIGHT + 3}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<text x="${LABEL_WIDTH + Number(width) + 6}" y="${y}">${value}</text>`,
  ].join('');
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
