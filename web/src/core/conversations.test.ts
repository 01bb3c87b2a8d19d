import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { ANN, BOB, CHAT, notice, text } from "../../tests/entries";
import {
  newRow,
  toConversation,
  withEntry,
  withPeer,
  withRead,
  withRecall,
  withSummary,
  type ConversationRow,
} from "./conversations";
import { Kind } from "./model/entries";
import { EntrySchema, SummarySchema } from "./wire/_pb/tinyqq/_pb/client_pb";
import { encodeDraft } from "./wire/entry";

const EMPTY = newRow({ conversationId: CHAT, seq: 0 });

function summary(headSeq: number, unread: number, ordinal: number) {
  return create(SummarySchema, {
    conversationId: CHAT,
    headSeq: String(headSeq),
    sinceSeq: "1",
    untilSeq: String(headSeq),
    unread,
    readSeq: String(headSeq - unread),
    name: "Bob",
    last: create(EntrySchema, { conversationId: CHAT, seq: String(headSeq), ordinal: String(ordinal), kind: 1, senderId: BOB }),
  });
}

const unread = (row: ConversationRow) => toConversation(row, ANN).unread;

describe("unread", () => {
  it("is what the server says, and one more with each message of others", () => {
    let row = withSummary(EMPTY, summary(90, 3, 80), ANN);
    expect(unread(row)).toBe(3);
    row = withEntry(row, text(91, { ordinal: 81 }), ANN);
    row = withEntry(row, notice(92, Kind.FRIEND_ADDED, { ordinal: 81 }), ANN);
    expect(unread(row)).toBe(4);
  });

  it("does not count twice what the server has counted already", () => {
    const row = withSummary(EMPTY, summary(90, 3, 80), ANN);
    expect(unread(withEntry(row, text(89, { ordinal: 79 }), ANN))).toBe(3);
  });

  it("stays as it is when reading has overtaken the server's word", () => {
    const read = withRead(withSummary(EMPTY, summary(90, 3, 80), ANN), 90, undefined);
    expect(unread(withSummary(read, summary(90, 3, 80), ANN))).toBe(0);
    const more = withEntry(read, text(91, { ordinal: 81 }), ANN);
    expect(unread(withSummary(more, summary(90, 3, 80), ANN))).toBe(1);
  });

  it("is what the server says when only the last message is known here", () => {
    const pushed = withEntry(EMPTY, text(90, { ordinal: 80 }), ANN);
    expect(unread(withSummary(pushed, summary(90, 3, 80), ANN))).toBe(3);
  });

  it("is nothing after one's own message, and begins with the first that is visible", () => {
    const joined = withEntry(EMPTY, text(500, { ordinal: 480 }), ANN);
    expect(unread(joined)).toBe(1);
    expect(unread(withEntry(joined, text(501, { ordinal: 481, senderId: ANN }), ANN))).toBe(0);
  });

  it("is nothing of what was read elsewhere before it came here", () => {
    const read = withRead(withEntry(EMPTY, text(1), ANN), 3, undefined);
    const row = withEntry(withEntry(withEntry(read, text(2), ANN), text(3), ANN), text(4), ANN);
    expect([unread(read), unread(row)]).toEqual([0, 1]);
  });

  it("falls by what was read", () => {
    const row = withSummary(EMPTY, summary(90, 10, 80), ANN);
    expect(unread(withRead(row, 85, 75))).toBe(5);
    expect(unread(withRead(row, 90, undefined))).toBe(0);
    expect(unread(withRead(row, 85, undefined))).toBe(10);
    expect(withRead(row, 10, 5)).toBe(row);
  });
});

describe("mentions", () => {
  const mention = text(5, { body: encodeDraft({ text: "@Ann", mentions: [ANN] }) });

  it("last until they are read, or taken back", () => {
    const row = withEntry(EMPTY, mention, ANN);
    expect(toConversation(row, ANN).isMentioned).toBe(true);
    expect(toConversation(withRead(row, 5, 5), ANN).isMentioned).toBe(false);
    expect(toConversation(withRecall(row, 5), ANN).isMentioned).toBe(false);
  });

  it("are not one's own, nor in what was read already", () => {
    expect(withEntry(EMPTY, { ...mention, senderId: ANN }, ANN).mentionSeq).toBe(0);
    expect(withEntry({ ...EMPTY, readSeq: 9 }, mention, ANN).mentionSeq).toBe(0);
    const all = text(6, { body: encodeDraft({ text: "@all", mentionsAll: true }) });
    expect(withEntry(EMPTY, all, ANN).mentionSeq).toBe(6);
  });
});

describe("the list", () => {
  it("has a new friendship, but no request for one", () => {
    const asked = withEntry(EMPTY, notice(1, Kind.FRIEND_REQUESTED), ANN);
    expect(toConversation(asked, ANN)).toMatchObject({ lastActiveAtMs: 0, headSeq: 1 });
    const added = withEntry(asked, notice(2, Kind.FRIEND_ADDED), ANN);
    expect(toConversation(added, ANN)).toMatchObject({ last: { is: "notice", seq: 2 }, unread: 0 });
  });

  it("shows what the server says when only notices stand there", () => {
    const said = create(SummarySchema, {
      conversationId: CHAT,
      headSeq: "2",
      untilSeq: "2",
      last: create(EntrySchema, { conversationId: CHAT, seq: "2", kind: Kind.FRIEND_ADDED, sentAtMs: "5" }),
    });
    const row = withSummary(EMPTY, said, ANN);
    expect(toConversation(row, ANN)).toMatchObject({ last: { seq: 2 }, lastActiveAtMs: 5, unread: 0 });
    expect(unread(withEntry(row, text(3, { ordinal: 1 }), ANN))).toBe(1);
  });

  it("shows the last entry that there is to show, and what waits to be sent before it", () => {
    let row = withEntry(EMPTY, text(1), ANN);
    row = withEntry(row, notice(2, 240), ANN);
    row = withEntry(row, notice(3, Kind.RECALL), ANN);
    expect(toConversation(row, ANN)).toMatchObject({ last: { seq: 1 }, lastActiveAtMs: 1_000, headSeq: 3 });
  });

  it("shows nothing of a last message that was taken back", () => {
    const row = withRecall(withEntry(EMPTY, text(1), ANN), 1);
    expect(toConversation(row, ANN).last).toMatchObject({ kind: Kind.RECALLED, content: { text: "" } });
  });

  it("goes by the user's own name for the other", () => {
    const row = { ...EMPTY, name: "Bob", remark: "Bobby" };
    expect(toConversation(row, ANN)).toMatchObject({ name: "Bobby", peerId: BOB, type: "direct" });
  });

  it("knows that whoever writes has read what is before", () => {
    const own = withEntry(EMPTY, text(1, { senderId: ANN }), ANN);
    expect(own.peerReadSeq).toBe(0);
    expect(withEntry(own, notice(2, Kind.FRIEND_ADDED), ANN).peerReadSeq).toBe(0);
    expect(withEntry(own, text(3), ANN)).toMatchObject({ peerReadSeq: 3, peerDeliveredSeq: 3 });
    const group = newRow({ conversationId: "20001", seq: 0 });
    expect(withEntry(group, text(3, { conversationId: "20001" }), ANN).peerReadSeq).toBe(0);
  });

  it("moves the other's cursors forward only; who read has got it", () => {
    const row = withPeer(withPeer(EMPTY, 3, 9), 4, 2);
    expect(row).toMatchObject({ peerReadSeq: 9, peerDeliveredSeq: 9 });
  });
});
