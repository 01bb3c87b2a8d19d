import { expect, it } from "vitest";

import { Kind, type Entry, type Media } from "../../core/api";
import { fitPicture, measurePicture, picturesOf } from "./pictures";

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

it("lists pictures that are on the server, and nothing else", () => {
  const media: Media = { blobId: "ab", name: "", mediaType: "", sizeBytes: 0, width: 0, height: 0, durationMs: 0 };
  const message = (kind: number, one: Media) => ({ is: "message", kind, content: { media: one } }) as unknown as Entry;
  const entries = [message(Kind.IMAGE, media), message(Kind.FILE, media), message(Kind.IMAGE, { ...media, blobId: "" })];
  expect(picturesOf(entries)).toEqual([media]);
});
