/** Writes Markdown tables. Knows no page. */

/** One row a line; cells may hold Markdown, of which only the bar is escaped. */
export const tableOf = (
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string => {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${heading.map(() => '---|').join('')}`;
  return [line(heading), rule, ...rows.map(line)].join('\n');
};

/** Stands at the top of every page that is made from the code. */
export const madeFrom = (source: string): string =>
  `<!-- Made by \`node tools/docs.ts\` from ${source}: edit that, not this. -->`;
