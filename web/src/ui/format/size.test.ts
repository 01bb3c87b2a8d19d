import { expect, it } from "vitest";

import { formatSize } from "./size";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_440, "1.4 KB"],
  [123_456, "123 KB"],
  [2_500_000_000, "2.5 GB"],
])("%i bytes are %s", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
