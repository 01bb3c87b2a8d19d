import { describe, expect, it } from "vitest";

import { ErrorCode } from "../core/errors";
import { en } from "./en";
import { zh } from "./zh";

type Tree = { readonly [key: string]: string | Tree };

function flatten(tree: Tree, path = ""): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") flat.set(`${path}${key}`, value);
    else for (const [more, text] of flatten(value, `${path}${key}.`)) flat.set(more, text);
  }
  return flat;
}

const LANGUAGES = [
  ["zh", flatten(zh)],
  ["en", flatten(en)],
] as const;
const sources = import.meta.glob<string>(["../ui/**/*.{vue,ts}", "../stores/*.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

describe("the texts", () => {
  it("have the same keys in both languages", () => {
    expect([...flatten(en).keys()]).toEqual([...flatten(zh).keys()]);
  });

  it("have the same places to fill in both languages", () => {
    const places = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort();
    const differing = [...flatten(zh)].filter(
      ([key, text]) => String(places(text)) !== String(places(flatten(en).get(key) ?? "")),
    );
    expect(differing).toEqual([]);
  });

  it.each(LANGUAGES)("are all there in %s", (_, texts) => {
    const empty = [...texts].filter(([, text]) => text.trim() === "");
    expect(empty).toEqual([]);
  });

  it.each(LANGUAGES)("have words for every error in %s", (_, texts) => {
    const missing = Object.keys(ErrorCode).filter((name) => !texts.has(`error.${name}`));
    expect(missing).toEqual([]);
  });

  it("exist for every key that the screens name", () => {
    const known = flatten(zh);
    const used = Object.entries(sources)
      .filter(([path]) => !path.endsWith(".test.ts"))
      .flatMap(([, source]) => [...source.matchAll(/\bt\(\s*["'`]([a-zA-Z.]+)["'`]/g)])
      .map((match) => match[1] ?? "");
    expect(used.length).toBeGreaterThan(100);
    expect(used.filter((key) => !known.has(key))).toEqual([]);
  });
});
