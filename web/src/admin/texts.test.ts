import { expect, test } from "vitest";

import { TEXTS } from "./texts";

function places(texts: object, path = ""): Map<string, string> {
  return new Map(
    Object.entries(texts).flatMap(([name, value]): [string, string][] =>
      typeof value === "string" ? [[`${path}${name}`, value]] : [...places(value as object, `${path}${name}.`)],
    ),
  );
}

test("both languages have the same texts with the same places to fill in", () => {
  const [zh, en] = [places(TEXTS.zh), places(TEXTS.en)];
  expect([...zh.keys()]).toEqual([...en.keys()]);
  for (const [name, text] of zh) {
    const names = (one: string): string[] => [...new Set(one.match(/\{\w+\}/g) ?? [])].sort();
    expect([name, names(text)]).toEqual([name, names(en.get(name) ?? "")]);
  }
});
