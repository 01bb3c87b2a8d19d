import { expect, it } from "vitest";

import { remember, SHELVES } from "./emoji";
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
