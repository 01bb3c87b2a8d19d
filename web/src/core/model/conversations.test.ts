import { expect, it } from "vitest";

import { emptyConversation } from "./conversations";

it("a conversation without a line knows its kind and whom it is with", () => {
  const id = String((10001n << 32n) | 10002n);
  expect(emptyConversation(id, "10001")).toMatchObject({ type: "direct", peerId: "10002", groupId: "" });
  expect(emptyConversation("20001", "10001")).toMatchObject({ type: "group", groupId: "20001" });
});
