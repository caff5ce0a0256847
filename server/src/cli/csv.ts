/** Comma-separated values (RFC 4180), safe to open in a spreadsheet. */

/** A heading and rows. A cell that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csv(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heading, ...rows].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('');
}

function cell(text: string): string {
  // A name of letters, digits and dashes is no formula, and must come back as it was.
  const isFormula = /^[=+\-@\t\r]/.test(text) && !/^[\w-]+$/.test(text);
  const harmless = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
