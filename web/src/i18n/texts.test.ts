import { describe, expect, it } from "vitest";

import { findUnused, flatten, placesIn, sourcesOf } from "../../tests/texts";
import { ErrorCode } from "../core/errors";
import { en } from "./en";
import { zh } from "./zh";

const LANGUAGES = [
  ["zh", flatten(zh)],
  ["en", flatten(en)],
] as const;
const sources = sourcesOf(
  import.meta.glob<string>(["../{ui,stores,admin}/**/*.{vue,ts}", "../core/{*,model/*}.ts"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
);

describe("the texts", () => {
  it("have the same keys in both languages", () => {
    expect([...flatten(en).keys()]).toEqual([...flatten(zh).keys()]);
  });

  it("have the same places to fill in both languages", () => {
    const differing = [...flatten(zh)].filter(
      ([key, text]) => String(placesIn(text)) !== String(placesIn(flatten(en).get(key) ?? "")),
    );
    expect(differing).toEqual([]);
  });

  it.each(LANGUAGES)("are all there in %s", (_, texts) => {
    const empty = [...texts].filter(([, text]) => text.trim() === "");
    expect(empty).toEqual([]);
  });

  it.each(LANGUAGES)("have words for every error, and for nothing else, in %s", (_, texts) => {
    const errors = [...texts.keys()].filter((key) => key.startsWith("error."));
    expect(errors.sort()).toEqual(Object.keys(ErrorCode).map((name) => `error.${name}`).sort());
  });

  it("exist for every key that the screens name", () => {
    const known = flatten(zh);
    const used = sources
      .flatMap((source) => [...source.matchAll(/\bt\(\s*["'`]([a-zA-Z.]+)["'`]/g)])
      .map((match) => match[1] ?? "")
      .filter((key) => !key.startsWith("admin."));
    expect(used.length).toBeGreaterThan(100);
    expect(used.filter((key) => !known.has(key))).toEqual([]);
  });

  it("are all named by a screen", () => {
    // Errors: see above. Reasons are named by the server.
    const keys = [...flatten(zh).keys()].filter((key) => !/^(error|reason)\./.test(key));
    expect(findUnused(keys, sources)).toEqual([]);
  });
});
