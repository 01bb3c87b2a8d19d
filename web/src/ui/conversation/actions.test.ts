import { describe, expect, it } from "vitest";

import { Kind, type Message } from "../../core/api";
import { hasActions, listActions, RECALL_MS } from "./actions";

function make(change: Partial<Message>): Message {
  return {
    is: "message",
    key: "s1",
    conversationId: "1",
    seq: 1,
    kind: Kind.TEXT,
    senderId: "1",
    isOwn: true,
    sentAtMs: 0,
    content: { text: "x", mentions: [], mentionsAll: false },
    state: "sent",
    ...change,
  };
}

function keys(change: Partial<Message>, type: "direct" | "group" | "self" = "direct", mayManage = false) {
  return listActions(make(change), { nowMs: RECALL_MS, type, mayManage }).map((one) => one.key);
}

describe("listActions", () => {
  it("offers to recall one's own message for two minutes", () => {
    expect(keys({ sentAtMs: 1 })).toContain("recall");
    expect(keys({ sentAtMs: 0 })).not.toContain("recall");
  });

  it("lets admins recall what others wrote in a group, at any time", () => {
    expect(keys({ isOwn: false }, "group", true)).toContain("recall");
    expect(keys({ isOwn: false }, "group", false)).not.toContain("recall");
    expect(keys({ isOwn: false }, "direct", true)).not.toContain("recall");
  });

  it("lets notes be recalled at any time", () => {
    expect(keys({}, "self")).toContain("recall");
  });

  it("offers to send again or delete what failed, and nothing else", () => {
    expect(keys({ state: "failed", seq: 0 })).toEqual(["retry", "copy", "discard"]);
  });

  it("offers to take a file elsewhere that is on the server", () => {
    const media = { blobId: "b", name: "", mediaType: "", sizeBytes: 1, width: 0, height: 0, durationMs: 0 };
    const content = { text: "", mentions: [], mentionsAll: false, media };
    expect(keys({ kind: Kind.FILE, content })).toEqual(["reply", "save", "forward"]);
    expect(keys({ kind: Kind.FILE, content, seq: 0 })).toEqual([]);
    expect(keys({})).toEqual(["reply", "copy", "forward"]);
    expect(keys({ kind: Kind.CUSTOM })).toEqual(["reply"]);
  });

  it("offers nothing that needs the log while it is being sent", () => {
    expect(keys({ state: "sending", seq: 0 })).toEqual(["copy"]);
  });

  it.each([{}, { seq: 0 }, { seq: 0, kind: Kind.IMAGE }, { seq: 0, kind: Kind.IMAGE, file: new Blob() }])(
    "is not empty exactly when there are actions: %j",
    (change) => expect(keys(change).length > 0).toBe(hasActions(make(change))),
  );

  it("offers to delete what is still being uploaded", () => {
    expect(keys({ state: "sending", seq: 0, kind: Kind.IMAGE, file: new Blob() })).toEqual(["discard"]);
  });
});
