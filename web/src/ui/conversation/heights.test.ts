import { describe, expect, it } from "vitest";

import { Kind, type Message } from "../../core/api";
import { estimateHeight } from "./heights";
import { makeRows } from "./rows";

/** A row in the middle of a run, unless it begins one. */
function height(text: string, change: Partial<Message> = {}, widthPx = 888): number {
  const message: Message = {
    is: "message",
    key: "k",
    conversationId: "1",
    seq: 5,
    kind: Kind.TEXT,
    senderId: "2",
    isOwn: false,
    sentAtMs: 0,
    content: { text, mentions: [], mentionsAll: false },
    state: "sent",
    ...change,
  };
  const conversation = { type: "direct", peerReadSeq: 0, peerDeliveredSeq: 0 } as const;
  const options = { conversation, readSeq: undefined, isShown: () => true };
  const [, row] = makeRows([{ ...message, key: "before" }, message], options);
  return estimateHeight(row, "direct", widthPx);
}

describe("estimateHeight", () => {
  it("knows a message of one line to the pixel", () => expect(height("你好")).toBe(42));

  it("adds a line for each that is broken, by itself or by its writer", () => {
    expect(height("第一行\n第二行")).toBe(42 + 24);
    expect(height("今".repeat(60))).toBe(42 + 24);
  });

  it("counts Latin letters as half as wide", () => {
    expect(height("a".repeat(60))).toBe(42);
    expect(height("a".repeat(100))).toBe(42 + 24);
  });

  it("breaks lines earlier where there is less room", () => {
    expect(height("今".repeat(20))).toBe(42);
    expect(height("今".repeat(20), {}, 500)).toBe(42 + 24);
  });

  it("gives emoji, pictures and recalled messages their own height", () => {
    const media = {
      blobId: "b", name: "", mediaType: "", sizeBytes: 1, width: 9, height: 9, durationMs: 0,
    };
    expect(height("😀")).toBe(54);
    expect(height("", { kind: Kind.RECALLED })).toBe(35);
    const content = { text: "", mentions: [], mentionsAll: false, media };
    expect(height("", { kind: Kind.IMAGE, content })).toBe(82);
    const large = { ...content, media: { ...media, width: 800, height: 400 } };
    expect(height("", { kind: Kind.IMAGE, content: large })).toBe(150);
  });
});
