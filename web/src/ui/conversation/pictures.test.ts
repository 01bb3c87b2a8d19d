import { expect, it } from "vitest";

import { fitPicture, measurePicture } from "./pictures";

it.each([
  [{ width: 4000, height: 2000 }, { width: 280, height: 140 }],
  [{ width: 100, height: 120 }, { width: 100, height: 120 }],
  [{ width: 5, height: 5 }, { width: 72, height: 72 }],
  [{ width: 10_000, height: 10 }, { width: 280, height: 72 }],
  [{ width: 0, height: 0 }, { width: 200, height: 150 }],
])("shows %o as %o", (size, shown) => {
  expect(fitPicture(size)).toEqual(shown);
});

it("knows no size of what is no picture, or cannot be read", async () => {
  expect(await measurePicture(new Blob(["x"], { type: "text/plain" }))).toEqual({});
  expect(await measurePicture(new Blob(["x"], { type: "image/png" }))).toEqual({});
});
