import { expect, it } from "vitest";

import { findEmoji, remember, SHELVES, type Words } from "./emoji";
import en from "./emoji_words/en.json";
import zh from "./emoji_words/zh.json";
import { isOnlyEmoji } from "../format/segments";

it("the shelves hold single emoji, each once", () => {
  for (const shelf of SHELVES) {
    expect(shelf.emoji.filter((one) => !isOnlyEmoji(one))).toEqual([]);
    expect(new Set(shelf.emoji).size).toBe(shelf.emoji.length);
  }
});

it("the newest is remembered first, once, and only so many", () => {
  expect(remember(["a", "b", "c"], "c", 3)).toEqual(["c", "a", "b"]);
  expect(remember(["a", "b", "c"], "d", 3)).toEqual(["d", "a", "b"]);
});

it("every emoji on the shelves can be found, in both languages", () => {
  const offered = new Set(SHELVES.flatMap((one) => one.emoji));
  expect(new Set(Object.keys(zh))).toEqual(offered);
  expect(new Set(Object.keys(en))).toEqual(offered);
});

it("emoji are found by names first, then by keywords, and by all that was typed", () => {
  const words: Words = { a: "cat|pet", b: "black cat face|pet", c: "tiger|cat", d: "concatenation" };
  expect(findEmoji(" CAT", [words], [])).toEqual(["a", "b", "c"]);
  expect(findEmoji("pet face", [words], [])).toEqual(["b"]);
  expect(findEmoji(" ", [words], [])).toEqual([]);
});

it("emoji are found in either language, and those that were used lately first", () => {
  expect(findEmoji("生日", [zh, en], [])[0]).toBe("🎂");
  expect(findEmoji("birthday", [zh, en], [])[0]).toBe("🎂");
  const cats = findEmoji("猫", [zh, en], []);
  const last = cats.at(-1) ?? "";
  expect(findEmoji("猫", [zh, en], [last])[0]).toBe(last);
});
