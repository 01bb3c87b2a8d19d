import { expect, test } from "vitest";

import { areClose, boxAround, crosses, cutMiddle, isWithin, textWidth, type Box } from "./layout";

const BOX: Box = { x: 10, y: 10, width: 20, height: 10 };

test("boxes cover each other, touch, or are apart", () => {
  expect(areClose(BOX, { ...BOX, x: 29 })).toBe(true);
  expect(areClose(BOX, { ...BOX, x: 30 })).toBe(false);
  expect(areClose(BOX, { ...BOX, y: 20 })).toBe(false);
  expect(areClose(BOX, { ...BOX, y: 21 }, 2)).toBe(true);
  expect(boxAround({ x: 20, y: 15 }, 20, 10)).toEqual(BOX);
});

test("a box is within a drawing or sticks out", () => {
  expect([isWithin(BOX, 30, 20), isWithin(BOX, 29, 20), isWithin(BOX, 30, 19)]).toEqual([true, false, false]);
  expect(isWithin({ ...BOX, x: -1 }, 30, 20)).toBe(false);
});

test("a line goes through a box or past it", () => {
  expect(crosses({ x: 0, y: 0 }, { x: 40, y: 30 }, BOX)).toBe(true);
  expect(crosses({ x: 0, y: 15 }, { x: 40, y: 15 }, BOX)).toBe(true);
  expect(crosses({ x: 20, y: 0 }, { x: 20, y: 40 }, BOX)).toBe(true);
  expect(crosses({ x: 0, y: 21 }, { x: 40, y: 21 }, BOX)).toBe(false);
  expect(crosses({ x: 0, y: 0 }, { x: 9, y: 9 }, BOX)).toBe(false);
  expect(crosses({ x: 0, y: 30 }, { x: 12, y: 40 }, BOX)).toBe(false);
});

test("a name that is too long loses its middle, and keeps its end", () => {
  expect(cutMiddle("unit-1", 100, 10)).toBe("unit-1");
  expect(cutMiddle("chat1.example:7101", 60, 10)).toBe("chat…7101");
  expect(cutMiddle("节点一号在这里", 40, 10)).toBe("节…这里");
  expect(cutMiddle("unit-1", 5, 10)).toBe("");
  for (let width = 20; width < 200; width++) {
    expect(textWidth(cutMiddle("a-very-long-name-of-a-host:7101", width, 12), 12)).toBeLessThanOrEqual(width);
  }
});
