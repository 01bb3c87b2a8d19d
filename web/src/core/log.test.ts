import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { CHAT, recall, stretch, text } from "../../tests/entries";
import type { ConversationRow } from "./conversations";
import { Log } from "./log";
import { Kind } from "./model/entries";
import { MemoryStore } from "./store";

let store: MemoryStore;
let log: Log;
let changed: ConversationRow[];

beforeEach(async () => {
  store = new MemoryStore();
  changed = [];
  log = new Log(store, (row) => changed.push(row));
  await log.open();
});
afterEach(async () => {
  vi.useRealTimers();
  await log.close();
});

const ALL = { conversationId: CHAT, from: 1, to: 99, limit: 99, end: "oldest" } as const;

it("writes what changed together, a little later", async () => {
  vi.useFakeTimers();
  const save = vi.spyOn(store, "save");
  log.put(CHAT, stretch(1, 2), 1, 2);
  log.put(CHAT, stretch(3, 3), 3, 3);
  expect(save).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(60);
  expect(save).toHaveBeenCalledTimes(1);
  expect((await store.load()).conversations[0]?.spans).toEqual([{ from: 1, to: 3 }]);
});

it("writes what the server said when there is time, or with what cannot wait", async () => {
  vi.useFakeTimers();
  const save = vi.spyOn(store, "save");
  log.learn(CHAT, (row) => ({ ...row, name: "Bob" }));
  await vi.advanceTimersByTimeAsync(500);
  expect(save).not.toHaveBeenCalled();
  log.change(CHAT, (row) => ({ ...row, draft: "x" }));
  await vi.advanceTimersByTimeAsync(60);
  expect((await store.load()).conversations[0]).toMatchObject({ name: "Bob", draft: "x" });
  log.learn(CHAT, (row) => ({ ...row, name: "Robert" }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(save).toHaveBeenCalledTimes(2);
});

it("keeps small things for the next visit, and has them before they are written", async () => {
  log.keepLearnt("groups", ["20001"]);
  expect(await log.kept("groups")).toEqual(["20001"]);
  await log.close();
  log = new Log(store, () => undefined);
  expect(await log.kept("groups")).toEqual(["20001"]);
});

it("reads entries without waiting until a list is written", async () => {
  log.put(CHAT, stretch(1, 2), 1, 2);
  await log.flush();
  vi.spyOn(store, "save").mockReturnValue(new Promise(() => undefined));
  log.learn(CHAT, (row) => ({ ...row, name: "Bob" }));
  void log.flush();
  expect(await log.entries(ALL)).toHaveLength(2);
  vi.restoreAllMocks();
  log = new Log(store, () => undefined);
});

it("reads what it has not written yet", async () => {
  log.put(CHAT, stretch(1, 3), 1, 3);
  expect((await log.entries(ALL)).map((one) => one.seq)).toEqual([1, 2, 3]);
});

it("knows that hidden stretches are known, and keeps none of them", async () => {
  log.put(CHAT, [text(1), text(2, { kind: Kind.HIDDEN, throughSeq: 9 })], 1, 9);
  expect(log.row(CHAT)?.spans).toEqual([{ from: 1, to: 9 }]);
  expect(await log.entries(ALL)).toHaveLength(1);
});

it("tells of rows that changed, and of no others", () => {
  log.change(CHAT, (row) => ({ ...row, draft: "x" }));
  log.change(CHAT, (row) => row);
  expect(changed.map((row) => row.draft)).toEqual(["x"]);
});

it("erases what was taken back, and says what it was", async () => {
  log.put(CHAT, stretch(1, 2), 1, 2);
  expect((await log.recall(recall(3, 2)))?.seq).toBe(2);
  expect(await log.entry(CHAT, 2)).toMatchObject({ kind: Kind.RECALLED, body: new Uint8Array() });
  expect(await log.recall(recall(3, 2))).toBeUndefined();
  expect(await log.recall(recall(4, 77))).toBeUndefined();
});

it("forgets entries that are not written yet, too", async () => {
  log.put(CHAT, stretch(1, 3), 1, 3);
  await log.forget(CHAT, { row: false });
  expect(log.row(CHAT)?.spans).toEqual([]);
  expect(await log.entries(ALL)).toEqual([]);
});

it("keeps the outbox in its order, also when one is tried again", async () => {
  const outgoing = (id: string) => ({ conversationId: CHAT, clientMessageId: id, kind: 1, body: new Uint8Array(), createdAtMs: 0 });
  for (const id of ["a", "b"]) await log.putOutgoing(outgoing(id));
  await log.putOutgoing({ ...outgoing("a"), refusal: { code: 3001, fields: {} } });
  expect((await store.load()).outgoing.map((one) => one.clientMessageId)).toEqual(["a", "b"]);
  await log.dropOutgoing("a");
  expect(log.outgoing(CHAT).map((one) => one.clientMessageId)).toEqual(["b"]);
});

it("puts nothing into a store that was closed or destroyed: it would be there again", async () => {
  for (const end of ["close", "destroy"] as const) {
    const ended = new MemoryStore();
    const other = new Log(ended, () => undefined);
    await other.open();
    await other[end]();
    other.change(CHAT, (row) => ({ ...row, draft: "x" }));
    await other.keep("groups", []);
    await other.flush();
    expect((await ended.load()).conversations).toEqual([]);
    expect(await ended.kept("groups")).toBeUndefined();
  }
});

it("goes on in memory when the browser takes its storage away", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  class Broken extends MemoryStore {}
  const broken = new Proxy(new Broken(), {
    // Not a MemoryStore to the log: that one is trusted to work.
    getPrototypeOf: () => Object.prototype,
    get: (target, name) => (name === "load" ? () => target.load() : () => Promise.reject(new Error("gone"))),
  });
  const other = new Log(broken, () => undefined);
  await other.open();
  await other.putOutgoing({ conversationId: CHAT, clientMessageId: "a", kind: 1, body: new Uint8Array(), createdAtMs: 0 });
  other.put(CHAT, stretch(1, 2), 1, 2);
  expect(await other.entries(ALL)).toHaveLength(2);
  expect(other.outgoing()).toHaveLength(1);
  expect(warn).toHaveBeenCalledTimes(1);
});
