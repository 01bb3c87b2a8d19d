import { describe, expect, it } from "vitest";

import { Kind, type Message } from "../../core/api";
import { addNewer, addOlder, applyEntries, EMPTY, MAX_ENTRIES, removeEntry, type Stretch } from "./stretch";

function message(seq: number, key = `s${seq}`): Message {
  return {
    is: "message",
    key,
    conversationId: "1",
    seq,
    kind: Kind.TEXT,
    senderId: "2",
    isOwn: false,
    sentAtMs: seq,
    content: { text: "", mentions: [], mentionsAll: false },
    state: seq === 0 ? "sending" : "sent",
  };
}

function range(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}

function seqs(stretch: Stretch): number[] {
  return stretch.entries.map((one) => one.seq);
}

describe("pages", () => {
  const middle: Stretch = { entries: range(10, 12), hasOlder: true, hasNewer: true };

  it("join at both ends without repeats", () => {
    const older = addOlder(middle, { entries: range(8, 10), hasOlder: false, hasNewer: true });
    const both = addNewer(older, { entries: range(12, 14), hasOlder: true, hasNewer: false });
    expect(seqs(both)).toEqual([8, 9, 10, 11, 12, 13, 14]);
    expect([both.hasOlder, both.hasNewer]).toEqual([false, false]);
  });

  it("let the far end go when there is too much", () => {
    const long: Stretch = { entries: range(101, 100 + MAX_ENTRIES), hasOlder: true, hasNewer: false };
    const older = addOlder(long, { entries: range(91, 100), hasOlder: true, hasNewer: true });
    expect(older.entries).toHaveLength(MAX_ENTRIES);
    expect(seqs(older)[0]).toBe(91);
    expect(older.hasNewer).toBe(true);
    const page = { entries: range(1_000, 1_009), hasOlder: true, hasNewer: false };
    const newer = addNewer({ ...long, hasOlder: false }, page);
    expect(seqs(newer)[0]).toBe(111);
    expect(newer.hasOlder).toBe(true);
  });
});

describe("applyEntries", () => {
  const end: Stretch = { entries: range(1, 3), hasOlder: false, hasNewer: false };

  it("keeps what waits behind everything that is in the log", () => {
    const waiting = applyEntries(end, [message(0, "m1"), message(0, "m2")]);
    const arrived = applyEntries(waiting, [message(4)]);
    expect(arrived.entries.map((one) => one.key)).toEqual(["s1", "s2", "s3", "s4", "m1", "m2"]);
  });

  it("moves a message to its place when it was sent, under the same key", () => {
    const waiting = applyEntries(end, [message(0, "m1"), message(0, "m2")]);
    const sent = applyEntries(waiting, [message(4, "m2")]);
    expect(sent.entries.map((one) => one.key)).toEqual(["s1", "s2", "s3", "m2", "m1"]);
  });

  it("adds nothing while the newest end is elsewhere, but changes what is held", () => {
    const away: Stretch = { ...end, hasNewer: true };
    expect(applyEntries(away, [message(9)])).toBe(away);
    const recalled = { ...message(2), kind: Kind.RECALLED };
    expect(applyEntries(away, [recalled]).entries[1]?.kind).toBe(Kind.RECALLED);
  });

  it("does not put an old entry before the stretch, where a hole would be", () => {
    const late: Stretch = { ...end, entries: range(5, 6), hasOlder: true };
    expect(applyEntries(late, [message(2)])).toBe(late);
  });

  it("begins an empty conversation", () => {
    expect(seqs(applyEntries(EMPTY, [message(1)]))).toEqual([1]);
  });
});

it("removeEntry takes out what was never sent", () => {
  const stretch: Stretch = { entries: [message(1), message(0, "m1")], hasOlder: false, hasNewer: false };
  expect(seqs(removeEntry(stretch, "m1"))).toEqual([1]);
});
