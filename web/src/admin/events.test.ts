import { expect, test } from "vitest";

import { EventReader } from "./events";

const TEXT = 'data: {"a":1}\n\n: a comment\n\ndata: two\ndata: lines\n\ndata: half';

test("events come whole, in whatever pieces their text comes", () => {
  for (let size = 1; size <= TEXT.length; size++) {
    const reader = new EventReader();
    const found: string[] = [];
    for (let start = 0; start < TEXT.length; start += size) {
      found.push(...reader.feed(TEXT.slice(start, start + size)));
    }
    expect(found).toEqual(['{"a":1}', "two\nlines"]);
    expect(reader.feed("\n\n")).toEqual(["half"]);
  }
});
