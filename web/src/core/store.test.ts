import "fake-indexeddb/auto";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { CHAT, stretch, text } from "../../tests/entries";
import { newRow } from "./conversations";
import { MemoryStore, type OutgoingRow, type Store } from "./store";
import { DexieStore } from "./store_dexie";
import { LaterStore } from "./store_later";

const ROW = newRow({ conversationId: CHAT, seq: 3 });

function outgoing(place: number): OutgoingRow {
  const clientMessageId = String(place).padStart(32, "f");
  return { conversationId: CHAT, clientMessageId, kind: 1, body: new Uint8Array([1]), place, createdAtMs: 5 };
}

describe.each<readonly [string, () => Store]>([
  ["MemoryStore", () => new MemoryStore()],
  ["DexieStore", () => new DexieStore("10001")],
  ["LaterStore", () => new LaterStore(async () => new MemoryStore(), Promise.resolve(false))],
])("%s", (_name, open) => {
  let store: Store;

  beforeEach(() => {
    store = open();
  });
  afterEach(async () => {
    await store.destroy();
  });

  it("gives back what it was given, the outbox by its places", async () => {
    await store.save({ conversations: [ROW], entries: [] });
    for (const place of [3, 1, 2]) await store.putOutgoing(outgoing(place));
    await store.dropOutgoing(outgoing(2).clientMessageId);
    const saved = await store.load();
    expect(saved.conversations).toEqual([ROW]);
    expect(saved.outgoing).toEqual([outgoing(1), outgoing(3)]);
  });

  it("reads a stretch from either end, ascending", async () => {
    const other = text(5, { conversationId: "20001" });
    await store.save({ conversations: [], entries: [...stretch(1, 9), other] });
    const read = async (end: "oldest" | "newest") => {
      const found = await store.entries({ conversationId: CHAT, from: 2, to: 8, limit: 3, end });
      return found.map((one) => one.seq);
    };
    expect(await read("oldest")).toEqual([2, 3, 4]);
    expect(await read("newest")).toEqual([6, 7, 8]);
  });

  it("has an entry as it was put last", async () => {
    await store.save({ conversations: [], entries: [text(1)] });
    await store.save({ conversations: [], entries: [text(1, { kind: 64 })] });
    expect((await store.entry(CHAT, 1))?.kind).toBe(64);
    expect(await store.entry(CHAT, 2)).toBeUndefined();
  });

  it("forgets one conversation, its row only when that is wanted", async () => {
    await store.save({ conversations: [ROW], entries: [text(1), text(1, { conversationId: "20001" })] });
    await store.forget(CHAT, { row: false });
    expect(await store.entry(CHAT, 1)).toBeUndefined();
    expect(await store.entry("20001", 1)).toBeDefined();
    expect((await store.load()).conversations).toHaveLength(1);
    await store.forget(CHAT, { row: true });
    expect((await store.load()).conversations).toHaveLength(0);
  });

  it("keeps small things by name", async () => {
    await store.keep("contacts", [{ userId: "10002" }]);
    expect(await store.kept("contacts")).toEqual([{ userId: "10002" }]);
    expect(await store.kept("groups")).toBeUndefined();
  });
});

describe("DexieStore", () => {
  it("is there again after a reload, and empty after it was destroyed", async () => {
    const first = new DexieStore("10001");
    await first.save({ conversations: [ROW], entries: stretch(1, 3) });
    first.close();
    const second = new DexieStore("10001");
    expect((await second.load()).conversations).toEqual([ROW]);
    await second.destroy();
    const third = new DexieStore("10001");
    expect((await third.load()).conversations).toEqual([]);
    await third.destroy();
  });

  it("keeps accounts apart", async () => {
    const [ann, bob] = [new DexieStore("10001"), new DexieStore("10002")];
    await ann.save({ conversations: [ROW], entries: [] });
    expect((await bob.load()).conversations).toEqual([]);
    await Promise.all([ann.destroy(), bob.destroy()]);
  });
});
