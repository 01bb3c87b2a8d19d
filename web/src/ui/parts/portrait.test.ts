import { expect, it } from "vitest";

import { drawPortrait, initialOf } from "./portrait";

it("a number always looks the same, its neighbour differs", () => {
  expect(drawPortrait("10001", "Ada")).toEqual(drawPortrait("10001", "Ada"));
  expect(drawPortrait("10001", "Ada").from).not.toBe(drawPortrait("10002", "Ada").from);
});

it.each([
  ["林小满", "林"],
  ["ada", "A"],
  ["  <b>x", "B"],
  ["👨‍👩‍👧 family", "👨‍👩‍👧"],
  ["…", "#"],
])("%s is drawn as %s", (name, initial) => {
  expect(initialOf(name)).toBe(initial);
});

it("without a name the number's digit stands", () => {
  expect(drawPortrait("10001", "").initial).toBe("1");
});
