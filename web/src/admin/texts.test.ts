import { expect, test } from "vitest";

import { findUnused, flatten, placesIn, sourcesOf } from "../../tests/texts";
import { TEXTS } from "./texts";

const [zh, en] = [flatten({ admin: TEXTS.zh }), flatten({ admin: TEXTS.en })];
const sources = sourcesOf(
  import.meta.glob<string>(["./*.{vue,ts}"], { query: "?raw", import: "default", eager: true }),
);
/** Their last words come from the server. */
const SAID_BY_SERVER = /^admin\.(condition|kind|group\.role)\./;

test("both languages have the same texts with the same places to fill in", () => {
  expect([...zh.keys()]).toEqual([...en.keys()]);
  for (const [name, text] of zh) expect([name, placesIn(text)]).toEqual([name, placesIn(en.get(name) ?? "")]);
});

test("every text is named by a screen", () => {
  const keys = [...zh.keys()].filter((key) => !SAID_BY_SERVER.test(key));
  expect(findUnused(keys, sources)).toEqual([]);
});

test("every key that a screen names has a text", () => {
  const used = sources
    .flatMap((source) => [...source.matchAll(/["'`](admin\.[a-zA-Z.]+)["'`]/g)])
    .map(([, key]) => key ?? "");
  expect(used.length).toBeGreaterThan(50);
  expect(used.filter((key) => !zh.has(key))).toEqual([]);
});
