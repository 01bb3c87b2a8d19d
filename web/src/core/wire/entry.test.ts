import { expect, it } from "vitest";

import { Kind } from "../model/entries";
import { contentOf, encodeDraft, isHeadline, isShown, noticeOf, toEntry, type LogEntry } from "./entry";

const ENTRY: LogEntry = {
  conversationId: "20001",
  seq: 7,
  ordinal: 5,
  kind: Kind.TEXT,
  senderId: "10001",
  clientMessageId: "ab".repeat(16),
  sentAtMs: 1,
  body: encodeDraft({ text: "你好", mentions: ["10002"] }),
  throughSeq: 0,
};
const UNREADABLE = new Uint8Array([0x0a, 0xff]);

it("reads what it wrote", () => {
  const quote = { seq: 3, senderId: "10002", excerpt: "在吗" };
  const media = { blobId: "b", name: "a.png", mediaType: "image/png", sizeBytes: 9, width: 2, height: 3, durationMs: 0 };
  const draft = { text: "x", quote, mentions: ["10003"], mentionsAll: true, media };
  expect(contentOf({ kind: Kind.IMAGE, body: encodeDraft(draft) })).toEqual(draft);
});

it("shows nothing of a body that cannot be read", () => {
  expect(contentOf({ kind: Kind.TEXT, body: UNREADABLE }).text).toBe("");
  expect(noticeOf({ body: UNREADABLE }).userIds).toEqual([]);
});

it("shows nothing of a message that was taken back", () => {
  expect(contentOf({ ...ENTRY, kind: Kind.RECALLED }).text).toBe("");
});

it("keys one's own by their id, others' by their place, which nobody can choose", () => {
  expect(toEntry(ENTRY, "10001").key).toBe(`m${ENTRY.clientMessageId}`);
  expect(toEntry(ENTRY, "10002").key).toBe("s7");
});

it("shows messages of the future and no notices of the future, nor recalls", () => {
  const kinds = [Kind.HIDDEN, 42, Kind.RECALLED, 99, Kind.RECALL, Kind.MEMBER_JOINED, 240];
  const shown = kinds.filter((kind) => isShown({ kind, conversationId: "20001" }));
  expect(shown).toEqual([42, Kind.RECALLED, 99, Kind.MEMBER_JOINED]);
});

it("shows only what one wrote among one's own notes", () => {
  const conversationId = String((10001n << 32n) | 10001n);
  const kinds = [Kind.TEXT, Kind.RECALLED, Kind.FRIEND_REQUESTED, Kind.MEMBER_INVITED];
  expect(kinds.filter((kind) => isShown({ kind, conversationId }))).toEqual([Kind.TEXT, Kind.RECALLED]);
});

it("has messages in the list, and what became of a group or friendship", () => {
  const bob = "10002";
  const listed = (conversationId: string, me: string) =>
    Object.values(Kind).filter((kind) => isHeadline({ kind, conversationId, senderId: bob }, me));
  const messages = Object.values(Kind).filter((kind) => kind > 0 && kind < Kind.RECALL);
  const ofGroups = Object.values(Kind).filter((kind) => kind >= Kind.GROUP_CREATED && kind <= Kind.CARD_CHANGED);
  const chat = String((10001n << 32n) | 10002n);
  expect(listed("20001", "10001")).toEqual([...messages, ...ofGroups, Kind.FRIEND_ADDED]);
  expect(listed(chat, "10001")).toContain(Kind.FRIEND_ADDED);
  expect([listed(chat, "10001"), listed(chat, bob)].map((kinds) => kinds.includes(Kind.FRIEND_REMOVED))).toEqual([false, true]);
  expect(listed(String((10002n << 32n) | 10002n), bob)).toEqual(messages);
});
