/** Reading the page's texts, and what its sources make of them. */

import type { TextTree } from "../src/i18n/messages";

/** By their keys, as the screens name them. */
export function flatten(tree: TextTree, path = ""): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") flat.set(`${path}${key}`, value);
    else for (const [more, text] of flatten(value, `${path}${key}.`)) flat.set(more, text);
  }
  return flat;
}

/** What is to be filled in, each once. */
export function placesIn(text: string): readonly string[] {
  return [...new Set(text.match(/\{\w+\}/g))].sort();
}

/** The keys that no source names: neither in full, nor as `prefix.${word}` with a word that stands
 * somewhere in quotes. */
export function findUnused(keys: Iterable<string>, sources: readonly string[]): readonly string[] {
  const all = sources.join("\n");
  const quoted = new Set([...all.matchAll(/["'`]([\w.]+)["'`]/g)].map(([, word]) => word ?? ""));
  const composed = [...all.matchAll(/`(\w+\.[\w.]*)\$\{[^`]*?\}([\w.]*)`/g)].map(
    ([, before = "", after = ""]) => new RegExp(`^${before.replaceAll(".", "\\.")}(\\w+)${after}$`),
  );
  const isNamed = (key: string): boolean =>
    quoted.has(key) || composed.some((shape) => quoted.has(shape.exec(key)?.[1] ?? ""));
  return [...keys].filter((key) => !isNamed(key));
}

/** Without their tests. */
export function sourcesOf(files: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(files)
    .filter(([path]) => !path.endsWith(".test.ts"))
    .map(([, source]) => source);
}
