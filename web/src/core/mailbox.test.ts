import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ANN, BOB, CHAT, recall, text } from "../../tests/entries";
import type { ChatEvents } from "./api";
import type { Connection } from "./connection";
import { Emitter } from "./emitter";
import { ChatError, ErrorCode } from "./errors";
import { Log } from "./log";
import { Mailbox } from "./mailbox";
import { Kind, type Entry, type Message } from "./model/entries";
import type { Call } from "./receiver";
import { MemoryStore } from "./store";
import {
  CursorMovedSchema,
  EntrySchema,
  HistorySchema,
  OverviewSchema,
  ProfileChangedSchema,
  SummarySchema,
  TypingSchema,
} from "./wire/_pb/tinyqq/_pb/client_pb";
import { messageIdBytes, type LogEntry } from "./wire/entry";

function onWire(entry: LogEntry) {
  return create(EntrySchema, {
    conversationId: entry.conversationId,
    seq: String(entry.seq),
    ordinal: String(entry.ordinal),
    kind: entry.kind,
    senderId: entry.senderId,
    sentAtMs: String(entry.sentAtMs),
    throughSeq: String(entry.throughSeq),
    content: entry.body,
    clientMessageId: messageIdBytes(entry.clientMessageId),
  });
}

const pass = () => new Promise((resolve) => setTimeout(resolve));

describe("Mailbox", () => {
  let log: Log;
  let mailbox: Mailbox;
  let events: Emitter<ChatEvents>;
  let entries: Entry[];
  const unreachable = (async () => {
    throw new ChatError(ErrorCode.CONNECTION_LOST);
  }) as unknown as Call;

  function openMailbox(call = unreachable): void {
    const nothing = () => undefined;
    const told = { onListed: nothing, onSynced: nothing };
    const files = { upload: () => new Promise<never>(nothing), cancel: async () => undefined };
    mailbox = new Mailbox({ me: ANN, log, call, files, events, ...told });
  }

  beforeEach(async () => {
    log = new Log(new MemoryStore(), () => undefined);
    await log.open();
    log.change(CHAT, (row) => row);
    log.change(CHAT, (row) => ({ ...row, name: "Bob" }));
    events = new Emitter();
    entries = [];
    events.on("entries", (event) => entries.push(...event.entries));
    openMailbox();
  });
  afterEach(() => {
    mailbox.stop();
  });

  it("hands out a message once, under the same key when it comes again", () => {
    for (const seq of [1, 2, 1, 2]) mailbox.onPush(onWire(text(seq)));
    expect(entries.map((one) => one.key)).toEqual(["s1", "s2"]);
  });

  it("keeps what is written until it is acknowledged, over a reload", async () => {
    const message = await mailbox.own.send(CHAT, { text: "hi" });
    expect(entries).toEqual([message]);
    expect(mailbox.conversations()[0]?.last?.key).toBe(message.key);
    mailbox.stop();
    openMailbox();
    const page = await mailbox.history(CHAT, { at: "end" });
    expect(page.entries).toEqual([message]);
    // Another device's push, a page or the answer: whichever says first that it is in the log.
    mailbox.onPush(onWire(text(1, { senderId: ANN, clientMessageId: message.key.slice(1) })));
    const sent = entries.at(-1) as Message;
    expect([sent.key, sent.state, sent.seq]).toEqual([message.key, "sent", 1]);
    expect(log.outgoing()).toEqual([]);
  });

  it("tells of another name, also in the list", () => {
    const told: unknown[] = [];
    events.on("profileChanged", (face) => told.push(face));
    for (const userId of [BOB, "10009"]) {
      mailbox.onPush(create(ProfileChangedSchema, { userId, nickname: "Robert", avatar: "ab" }));
    }
    expect(told).toHaveLength(2);
    expect(mailbox.conversations().map((one) => one.name)).toEqual(["Robert"]);
    const changed = vi.spyOn(log, "learn");
    mailbox.name([{ userId: BOB, nickname: "Robert" }]);
    expect(changed).not.toHaveBeenCalled();
  });

  it("erases a message that is taken back, and shows no word of the recall itself", async () => {
    mailbox.onPush(onWire(text(1)));
    mailbox.onPush(onWire(recall(2, 1)));
    await vi.waitFor(() => expect(entries).toHaveLength(2));
    expect(entries[1]).toMatchObject({ key: "s1", kind: Kind.RECALLED, content: { text: "" } });
    expect(mailbox.conversations()[0]?.last).toMatchObject({ kind: Kind.RECALLED });
  });

  it("moves cursors as other devices and the other user say", async () => {
    for (const seq of [1, 2, 3]) mailbox.onPush(onWire(text(seq)));
    const moved = (userId: string, readSeq: string) =>
      create(CursorMovedSchema, { conversationId: CHAT, userId, readSeq });
    mailbox.onPush(moved(ANN, "2"));
    await vi.waitFor(() => expect(mailbox.conversations()[0]).toMatchObject({ unread: 1, readSeq: 2 }));
    mailbox.onPush(moved(BOB, "3"));
    expect(mailbox.conversations()[0]).toMatchObject({ peerReadSeq: 3, peerDeliveredSeq: 3 });
  });

  it("counts what another device has read in parts that are not here", async () => {
    const behind = { position: 90, readSeq: 60, readOrdinal: 60, lastOrdinal: 90, last: text(90) };
    log.change(CHAT, (row) => ({ ...row, ...behind }));
    const moved = create(CursorMovedSchema, { conversationId: CHAT, userId: ANN, readSeq: "70" });
    const now = () => mailbox.conversations()[0];
    mailbox.onPush(moved);
    await pass();
    // It cannot ask: the next overview finds the row where it was, and tells both.
    expect(now()).toMatchObject({ unread: 30, readSeq: 60 });
    mailbox.stop();
    openMailbox((async () => create(HistorySchema, { entries: [onWire(text(70))], more: true })) as unknown as Call);
    mailbox.onPush(moved);
    await vi.waitFor(() => expect(now()).toMatchObject({ unread: 20, readSeq: 70 }));
  });

  it("tells the server what it lacks, in one request, and nothing that it has", async () => {
    const summary = (conversationId: string, deliveredSeq: string, readSeq: string) =>
      create(SummarySchema, { conversationId, headSeq: "3", untilSeq: "3", deliveredSeq, readSeq });
    const conversations = [summary(CHAT, "2", "1"), summary("20001", "3", "3"), summary("20002", "3", "0")];
    for (const { conversationId } of conversations) {
      log.change(conversationId, (row) => ({ ...row, position: 3, readSeq: 3 }));
    }
    mailbox.stop();
    openMailbox((async () => create(OverviewSchema, { conversations })) as unknown as Call);
    const told: unknown[] = [];
    const line = { isClosed: false, notify: (_: unknown, init: unknown) => told.push(init) };
    for (const _ of ["at first", "after a break"]) {
      mailbox.onUp(line as unknown as Connection);
      await vi.waitFor(() => expect(told).toHaveLength(1));
      expect(told.pop()).toEqual({
        marks: [
          { conversationId: CHAT, deliveredSeq: "3", readSeq: "3" },
          { conversationId: "20002", deliveredSeq: "3", readSeq: "3" },
        ],
      });
      mailbox.onDown();
    }
  });

  it("has contacts read again when pushes were lost", () => {
    const told = vi.fn();
    events.on("contactsChanged", told);
    mailbox.catchUp();
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("tells who shows contacts or groups that they have changed", () => {
    const told: string[] = [];
    events.on("contactsChanged", () => told.push("contacts"));
    events.on("groupsChanged", ({ groupId }) => told.push(`group ${groupId}`));
    events.on("joinRequestsChanged", ({ groupId }) => told.push(`door of ${groupId}`));
    events.on("typing", ({ userId }) => told.push(`typing ${userId}`));
    mailbox.onPush(onWire(text(1, { kind: Kind.FRIEND_ADDED, body: new Uint8Array() })));
    log.change("20001", (row) => ({ ...row, position: 0 }));
    mailbox.stop();
    openMailbox();
    mailbox.onPush(onWire(text(1, { conversationId: "20001", kind: Kind.MEMBER_JOINED, body: new Uint8Array() })));
    const hidden = { kind: Kind.HIDDEN, throughSeq: 2, body: new Uint8Array() };
    for (const conversationId of ["20001", CHAT]) mailbox.onPush(onWire(text(2, { conversationId, ...hidden })));
    mailbox.onPush(create(TypingSchema, { conversationId: CHAT, userId: BOB }));
    expect(told).toEqual(["contacts", "group 20001", "door of 20001", `typing ${BOB}`]);
  });

  it("tells of a notice among one's own notes, and shows none there", () => {
    const own = String((10001n << 32n) | 10001n);
    const told: number[] = [];
    events.on("told", ({ kind }) => told.push(kind));
    const entry = { conversationId: own, body: new Uint8Array() };
    log.change(own, (row) => ({ ...row, position: 0 }));
    mailbox.stop();
    openMailbox();
    mailbox.onPush(onWire(text(1, { ...entry, kind: Kind.FRIEND_REQUESTED })));
    mailbox.onPush(onWire(text(2, { ...entry, kind: Kind.GROUP_CREATED, senderId: ANN })));
    expect(told).toEqual([Kind.FRIEND_REQUESTED]);
    expect(entries).toEqual([]);
    expect(mailbox.conversations().find((one) => one.type === "self")).toMatchObject({ lastActiveAtMs: 0, unread: 0 });
  });
});
