// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { emptyConversation } from "../core/api";
import { sortConversations } from "./conversations";

it("pinned ones come first, then the most active", () => {
  const make = (id: string, lastActiveAtMs: number, isPinned = false) => ({
    ...emptyConversation(id, "1"),
    lastActiveAtMs,
    isPinned,
  });
  const sorted = sortConversations([make("1", 5), make("2", 9), make("3", 1, true)]);
  expect(sorted.map((one) => one.conversationId)).toEqual(["3", "2", "1"]);
});
