import { expect, it } from "vitest";

import { conversationType, directConversation, fromHex, newId, peerOf, toHex } from "./ids";

it("derives the conversation of two users whoever asks", () => {
  expect(directConversation("10002", "10001")).toBe("42953967937298");
  expect(directConversation("10001", "10002")).toBe("42953967937298");
});

it("tells kinds of conversations apart", () => {
  const types = ["20001", "42953967937298", directConversation("10001", "10001")];
  expect(types.map(conversationType)).toEqual(["group", "direct", "self"]);
});

it("names the other user", () => {
  expect(peerOf("42953967937298", "10001")).toBe("10002");
  expect(peerOf("42953967937298", "10002")).toBe("10001");
  expect(peerOf(directConversation("10001", "10001"), "10001")).toBe("10001");
  expect(peerOf("20001", "10001")).toBe("");
});

it("makes ids of 16 bytes that differ, and hex both ways", () => {
  const [one, other] = [newId(), newId()];
  expect(toHex(one)).toHaveLength(32);
  expect(toHex(one)).not.toBe(toHex(other));
  expect(fromHex(toHex(one))).toEqual(one);
});
