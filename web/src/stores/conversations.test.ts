// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { emptyConversation, sortConversations } from "./conversations";

it("pinned ones come first, then the most active", () => {
  const make = (id: string, lastActiveAtMs: number, isPinned = false) => ({
    ...emptyConversation(id, "1"),
    lastActiveAtMs,
    isPinned,
  });
  const sorted = sortConversations([make("1", 5), make("2", 9), make("3", 1, true)]);
  expect(sorted.map((one) => one.conversationId)).toEqual(["3", "2", "1"]);
});

it("a conversation without a line knows its kind and whom it is with", () => {
  const id = String((10001n << 32n) | 10002n);
  expect(emptyConversation(id, "10001")).toMatchObject({ type: "direct", peerId: "10002", groupId: "" });
  expect(emptyConversation("20001", "10001")).toMatchObject({ type: "group", groupId: "20001" });
});
