/**
 * Copies of a source file with a bug written into them, made when they are asked for and imported from a temporary folder. A text to
 * replace that is not there exactly once is an error: a bug must not vanish unseen when the source is rewritten.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export type Replacement = { readonly from: string; readonly to: string };

/** The module at `source` with its replacements made. */
export async function mutated<Module>(
  source: URL,
  replacements: readonly Replacement[],
): Promise<Module> {
  const text = withAbsoluteImports(mutatedText(readFileSync(source, 'utf8'), replacements), source);
  const folder = mkdtempSync(join(tmpdir(), 'countersign-simulation-'));
  try {
    const file = join(folder, 'mutated.ts');
    writeFileSync(file, text);
    return (await import(pathToFileURL(file).href)) as Module;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Spaces and line breaks are one and the same here, so that formatting changes nothing. */
export function mutatedText(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((before, { from, to }) => {
    const pattern = new RegExp(from.trim().split(/\s+/).map(escaped).join('\\s+'), 'g');
    const found = before.match(pattern)?.length ?? 0;
    if (found !== 1) throw new Error(`found ${found} times, must be once: ${from}`);
    return before.replace(pattern, () => to);
  }, text);
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function withAbsoluteImports(text: string, source: URL): string {
  return text.replace(
    /(from ')(\.[^']+)(')/g,
    (_, before: string, path: string, after: string) => before + new URL(path, source).href + after,
  );
}
