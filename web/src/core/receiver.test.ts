import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ANN, CHAT, stretch, text } from "../../tests/entries";
import { Kind } from "./api";
import { ChatError, ErrorCode } from "./errors";
import { Inbox } from "./inbox";
import { Log } from "./log";
import { Receiver, type Call } from "./receiver";
import { MemoryStore } from "./store";
import { HeadHintSchema, OverviewSchema, PageSchema } from "./wire/_pb/tinyqq/_pb/client_pb";
import { messageIdBytes, type LogEntry } from "./wire/entry";
import { Request } from "./wire/packets";

/** A server that has some conversations; writes down what it is asked. */
class Heads {
  readonly logs = new Map<string, LogEntry[]>();
  asked: string[] = [];
  /** The last for an overview. */
  request: unknown;
  errors: ChatError[] = [];
  refusedSync: ChatError | undefined;

  readonly call = (async (kind: { readonly type: number }, init: Record<string, unknown>) => {
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    if (kind.type === Request.GET_OVERVIEW.type) return this.#overview(init);
    return this.#page(String(init["conversationId"]), Number(init["afterSeq"]));
  }) as unknown as Call;

  #overview(init: Record<string, unknown>) {
    const known = init["known"] as readonly { readonly conversationId: string; readonly seq: string }[];
    this.asked.push(`overview ${known.length}`);
    this.request = init;
    const conversations = [...this.logs].flatMap(([conversationId, entries]) => {
      const head = String(entries.length);
      if (known.some((one) => one.conversationId === conversationId && one.seq === head)) return [];
      return [{ conversationId, headSeq: head, sinceSeq: "1", untilSeq: head, name: "n" }];
    });
    return create(OverviewSchema, { conversations });
  }

  #page(conversationId: string, after: number) {
    this.asked.push(`sync ${after}`);
    if (this.refusedSync !== undefined) throw this.refusedSync;
    const entries = this.logs.get(conversationId) ?? [];
    return create(PageSchema, {
      headSeq: String(entries.length),
      entries: entries.slice(after, after + 100).map((one) => ({
        conversationId,
        seq: String(one.seq),
        ordinal: String(one.ordinal),
        kind: one.kind,
        senderId: one.senderId,
        sentAtMs: String(one.sentAtMs),
        throughSeq: String(one.throughSeq),
        content: one.body,
        clientMessageId: messageIdBytes(one.clientMessageId),
      })),
    });
  }
}

describe("Receiver", () => {
  let heads: Heads;
  let log: Log;
  let receiver: Receiver;
  let seqs: number[];
  let fresh: number[];
  let told: string[];
  let summaries: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    heads = new Heads();
    log = new Log(new MemoryStore(), () => undefined);
    [seqs, fresh, told, summaries] = [[], [], [], []];
  });
  afterEach(() => {
    receiver.stop();
    vi.useRealTimers();
  });

  /** Start where the last visit ended. */
  function open(positions: Readonly<Record<string, number>> = {}): void {
    for (const [id, position] of Object.entries(positions)) {
      log.change(id, (row) => ({ ...row, position }));
    }
    receiver = new Receiver({
      me: ANN,
      inbox: new Inbox([...log.rows].map((row) => ({ conversationId: row.conversationId, seq: row.position }))),
      log,
      call: heads.call,
      onEntries: (entries, isFresh) => {
        seqs.push(...entries.map((one) => one.seq));
        if (isFresh) fresh.push(...entries.map((one) => one.seq));
      },
      onHidden: (id) => told.push(`hidden in ${id}`),
      onPosition: () => undefined,
      onSummary: (summary) => summaries.push(summary.conversationId),
      onRemoved: (id) => told.push(`removed ${id}`),
      onReset: (ids) => told.push(`reset ${ids.join()}`),
      onListed: () => told.push("listed"),
      onSynced: () => told.push("synced"),
    });
  }

  const pass = (ms = 10) => vi.advanceTimersByTimeAsync(ms);

  it("starts a new conversation at its end: what is before is history", async () => {
    heads.logs.set(CHAT, stretch(1, 300));
    open();
    receiver.catchUp();
    await pass();
    expect(seqs).toEqual([]);
    expect(log.row(CHAT)).toMatchObject({ position: 300, spans: [], name: "n" });
    expect(heads.asked).toEqual(["overview 0"]);
    receiver.take(text(301), true);
    expect(fresh).toEqual([301]);
    expect(log.row(CHAT)?.spans).toEqual([{ from: 301, to: 301 }]);
  });

  it("tells of all that a page begins in one word", async () => {
    for (const id of [CHAT, "20001", "20002"]) heads.logs.set(id, stretch(1, 3));
    open({ "20001": 3 });
    receiver.catchUp();
    await pass();
    expect(told).toEqual([`reset ${CHAT},20002`, "listed", "synced"]);
  });

  it("reads what was missed, in order, by pages", async () => {
    heads.logs.set(CHAT, stretch(1, 250));
    open({ [CHAT]: 20 });
    receiver.catchUp();
    await pass();
    expect(seqs).toEqual(stretch(21, 250).map((one) => one.seq));
    expect(fresh).toEqual([]);
    expect(heads.asked).toEqual(["overview 0", "sync 20", "sync 120", "sync 220"]);
    expect(told).toEqual(["listed", "synced"]);
  });

  it("leaves out what is too much, and says so", async () => {
    heads.logs.set(CHAT, stretch(1, 900));
    open({ [CHAT]: 20 });
    log.put(CHAT, stretch(1, 20), 1, 20);
    receiver.catchUp();
    await pass();
    expect(seqs).toEqual([]);
    expect(told).toContain(`reset ${CHAT}`);
    expect(log.row(CHAT)).toMatchObject({ position: 900, spans: [] });
  });

  it("asks for a gap only when it does not close by itself", async () => {
    heads.logs.set(CHAT, stretch(1, 5));
    open({ [CHAT]: 5 });
    receiver.catchUp();
    await pass();
    heads.asked = [];
    receiver.take(text(7), true);
    receiver.take(text(6), true);
    await pass(100);
    expect([seqs, heads.asked]).toEqual([[6, 7], []]);
    heads.logs.set(CHAT, stretch(1, 9));
    receiver.take(text(9), true);
    await pass(100);
    expect([seqs, heads.asked]).toEqual([[6, 7, 8, 9], ["sync 7"]]);
  });

  it("sorts pushes that come before the overview", async () => {
    heads.logs.set(CHAT, stretch(1, 6));
    open();
    receiver.take(text(7), true);
    receiver.take(text(1, { conversationId: "20001" }), true);
    expect(seqs).toEqual([]);
    receiver.catchUp();
    await pass();
    expect(seqs).toEqual([7, 1]);
  });

  it("follows a hint in pull mode", async () => {
    heads.logs.set(CHAT, stretch(1, 2));
    open({ [CHAT]: 2 });
    receiver.catchUp();
    await pass();
    heads.logs.set(CHAT, stretch(1, 4));
    receiver.hint(create(HeadHintSchema, { heads: [{ conversationId: CHAT, seq: "4" }] }));
    await pass();
    expect(seqs).toEqual([3, 4]);
  });

  it("asks for the whole list at the start, and then for what differs from what is here", async () => {
    heads.logs.set(CHAT, stretch(1, 2));
    open({ [CHAT]: 2 });
    receiver.catchUp();
    await pass();
    expect(summaries).toEqual([CHAT]);
    log.change(CHAT, (row) => ({ ...row, readSeq: 2, peerReadSeq: 1, peerDeliveredSeq: 2 }));
    receiver.catchUp();
    await pass();
    expect(heads.asked).toEqual(["overview 0", "overview 1"]);
    expect(heads.request).toEqual({
      known: [
        { conversationId: CHAT, seq: "2", deliveredSeq: "2", readSeq: "2", peerReadSeq: "1", peerDeliveredSeq: "2" },
      ],
      afterConversationId: "0",
      withCursors: true,
    });
  });

  it("tells of what came and may not be seen, by a push or while it was away", async () => {
    const hidden = (seq: number) => text(seq, { kind: Kind.HIDDEN, throughSeq: seq });
    heads.logs.set(CHAT, [...stretch(1, 3), hidden(4), text(5)]);
    open({ [CHAT]: 3 });
    receiver.catchUp();
    await pass();
    const away = [...told];
    receiver.take(text(6), true);
    receiver.take(text(6), true);
    const shown = [...told];
    receiver.take(hidden(7), true);
    expect(away).toEqual(["listed", `hidden in ${CHAT}`, "synced"]);
    expect(shown).toEqual(away);
    expect(told).toEqual([...shown, `hidden in ${CHAT}`]);
  });

  it("forgets conversations that are gone, but not what was written there", async () => {
    open({ [CHAT]: 2, "20001": 5 });
    log.change("20001", (row) => ({ ...row, draft: "…" }));
    receiver.catchUp();
    await pass();
    expect(told).toContain(`removed ${CHAT}`);
    expect([...log.rows].map((row) => row.conversationId)).toEqual(["20001"]);
  });

  it("gives up a conversation that may no longer be seen", async () => {
    heads.logs.set(CHAT, stretch(1, 9));
    open({ [CHAT]: 2 });
    receiver.catchUp();
    heads.refusedSync = new ChatError(ErrorCode.NOT_A_MEMBER);
    await pass(200);
    expect(told).toContain(`removed ${CHAT}`);
  });

  it("asks again for what it could not get for now", async () => {
    heads.logs.set(CHAT, stretch(1, 4));
    open({ [CHAT]: 2 });
    heads.refusedSync = new ChatError(ErrorCode.BUSY, {}, 2_000);
    receiver.catchUp();
    await pass(1_900);
    heads.refusedSync = undefined;
    expect([seqs, told]).toEqual([[], ["listed"]]);
    await pass(200);
    expect([seqs, told]).toEqual([[3, 4], ["listed", "synced"]]);
  });

  it("tries again when the server is busy, and stops when it will not answer at all", async () => {
    heads.logs.set(CHAT, stretch(1, 3));
    open({ [CHAT]: 2 });
    heads.errors = [new ChatError(ErrorCode.BUSY, {}, 2_000)];
    receiver.catchUp();
    await pass(1_900);
    expect(seqs).toEqual([]);
    await pass(200);
    expect(seqs).toEqual([3]);
    heads.asked = [];
    heads.errors = [new ChatError(ErrorCode.PASSWORD_CHANGE_REQUIRED)];
    receiver.catchUp();
    await pass(60_000);
    expect(heads.asked).toEqual([]);
    receiver.catchUp();
    await pass();
    expect(heads.asked).toEqual(["overview 1"]);
  });
});
