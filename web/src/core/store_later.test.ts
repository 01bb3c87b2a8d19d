import { expect, it, vi } from "vitest";

import { CHAT, text } from "../../tests/entries";
import { MemoryStore } from "./store";
import { LaterStore } from "./store_later";

const EMPTY = { conversations: [], outgoing: [] };

it("opens nothing to read from where nothing was kept", async () => {
  const open = vi.fn(async () => new MemoryStore());
  const store = new LaterStore(open, Promise.resolve(false));
  expect(await store.load()).toEqual(EMPTY);
  expect(await store.kept("contacts")).toBeUndefined();
  await store.forget(CHAT, { row: true });
  store.close();
  await store.destroy();
  expect(open).not.toHaveBeenCalled();
});

it("opens once, at the first write", async () => {
  const open = vi.fn(async () => new MemoryStore());
  const store = new LaterStore(open, Promise.resolve(false));
  const saved = store.save({ conversations: [], entries: [text(1)] });
  expect(await store.entry(CHAT, 1)).toEqual(text(1));
  await Promise.all([saved, store.keep("groups", [])]);
  expect(open).toHaveBeenCalledTimes(1);
});

it("reads what a former visit left, and lets go of it", async () => {
  const former = new MemoryStore();
  await former.keep("groups", ["20001"]);
  const close = vi.spyOn(former, "close");
  const store = new LaterStore(async () => former, Promise.resolve(true));
  expect(await store.kept("groups")).toEqual(["20001"]);
  store.close();
  await vi.waitFor(() => expect(close).toHaveBeenCalledTimes(1));
});
