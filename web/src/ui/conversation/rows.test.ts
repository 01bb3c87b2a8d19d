import { describe, expect, it } from "vitest";

import { Kind, type Entry, type Message } from "../../core/api";
import { makeRows, type Row } from "./rows";

const NOON = new Date(2026, 10, 23, 12, 0, 0).getTime();
const MINUTE = 60_000;

function message(seq: number, senderId: string, afterMs: number, change: Partial<Message> = {}): Message {
  return {
    is: "message",
    key: `s${seq}`,
    conversationId: "1",
    seq,
    kind: Kind.TEXT,
    senderId,
    isOwn: senderId === "1",
    sentAtMs: NOON + afterMs,
    content: { text: `${seq}`, mentions: [], mentionsAll: false },
    state: "sent",
    ...change,
  };
}

function rows(entries: readonly Entry[], readSeq?: number, peerReadSeq = 0): Row[] {
  const conversation = { type: "direct", peerReadSeq, peerDeliveredSeq: peerReadSeq } as const;
  return makeRows(entries, { conversation, readSeq, isShown: () => true });
}

describe("makeRows", () => {
  it("joins what one sender wrote shortly after another into a run", () => {
    const made = rows([message(1, "2", 0), message(2, "2", MINUTE), message(3, "1", MINUTE)]);
    expect(made.map((row) => row.startsRun)).toEqual([true, false, true]);
    expect(made.map((row) => row.endsRun)).toEqual([false, true, true]);
  });

  it("names the sender again after five minutes", () => {
    const made = rows([message(1, "2", 0), message(2, "2", 5 * MINUTE)]);
    expect(made[1]?.startsRun).toBe(true);
  });

  it("shows the time once for what was written in one minute", () => {
    const made = rows([message(1, "2", 0), message(2, "2", 20_000), message(3, "2", MINUTE)]);
    expect(made.map((row) => row.showsMeta)).toEqual([false, true, true]);
  });

  it("shows the state where it changes within a minute", () => {
    const made = rows([message(1, "1", 0), message(2, "1", 1_000), message(3, "1", 2_000)], undefined, 1);
    expect(made.map((row) => row.state)).toEqual(["read", "sent", "sent"]);
    expect(made.map((row) => row.showsMeta)).toEqual([true, false, true]);
  });

  it("names each day once, also between a late and an early message", () => {
    const made = rows([
      message(1, "2", 0),
      message(2, "2", 12 * 60 * MINUTE - 1),
      message(3, "2", 12 * 60 * MINUTE),
    ]);
    expect(made.map((row) => row.startsDay)).toEqual([true, false, true]);
    expect(made[2]?.startsRun).toBe(true);
  });

  it("puts the unread line before the first message of others after the cursor", () => {
    const made = rows([message(1, "2", 0), message(2, "1", 1_000), message(3, "2", 2_000)], 1);
    expect(made.map((row) => row.isFirstUnread)).toEqual([false, false, true]);
  });

  it("puts the unread line first when nothing was read yet", () => {
    expect(rows([message(1, "2", 0), message(2, "2", 1)], 0)[0]?.isFirstUnread).toBe(true);
  });

  it("breaks a run at the unread line", () => {
    const made = rows([message(1, "2", 0), message(2, "2", 1_000)], 1);
    expect(made.map((row) => row.startsRun)).toEqual([true, true]);
    expect(made[0]?.showsMeta).toBe(true);
  });

  it("draws recalled messages as lines, which end runs", () => {
    const made = rows([
      message(1, "2", 0),
      message(2, "2", 1_000, { kind: Kind.RECALLED }),
      message(3, "2", 2_000),
    ]);
    expect(made.map((row) => row.isLine)).toEqual([false, true, false]);
    expect(made.map((row) => row.startsRun)).toEqual([true, true, true]);
  });

  it("keeps the rows that are still the same, and no others", () => {
    const conversation = { type: "direct", peerReadSeq: 0, peerDeliveredSeq: 0 } as const;
    const options = { conversation, readSeq: undefined, isShown: () => true };
    const entries = [message(2, "2", 1_000), message(3, "2", 2_000)];
    const before = makeRows(entries, options);
    const after = makeRows([message(1, "2", 0), ...entries], options, before);
    expect(after[1]).not.toBe(before[0]);
    expect(after[1]?.startsRun).toBe(false);
    expect(after[2]).toBe(before[1]);
    const changed = makeRows([...entries.slice(0, 1), message(3, "2", 2_000)], options, before);
    expect(changed[1]).not.toBe(before[1]);
  });

  it("leaves out what is not shown", () => {
    const conversation = { type: "group", peerReadSeq: 0, peerDeliveredSeq: 0 } as const;
    const entries = [message(1, "2", 0), message(2, "2", 1)];
    const made = makeRows(entries, { conversation, readSeq: undefined, isShown: (one) => one.seq !== 1 });
    expect(made.map((row) => row.key)).toEqual(["s2"]);
  });
});
