import { expect, it } from "vitest";

import { ChatError, ErrorCode } from "./errors";
import { pack, unpack } from "./packing";

it("takes errors across, however deep they lie", () => {
  const error = new ChatError(ErrorCode.BLOCKED, { by: "them" }, 500);
  const value = { entries: [{ key: "m1", error }], last: undefined, count: 0, is: null };
  const taken = unpack(structuredClone(pack(value))) as typeof value;
  expect(taken).toEqual(value);
  expect(taken.entries[0]?.error).toBeInstanceOf(ChatError);
  expect(taken.entries[0]?.error.key).toBe("error.BLOCKED");
});

it("leaves to the channel what it can clone by itself", () => {
  const bytes = new Uint8Array([1, 2]);
  expect(pack(bytes)).toBe(bytes);
});
