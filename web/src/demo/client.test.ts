import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { messageState, type EntriesEvent, type Message } from "../core/api";
import { DemoClient } from "./client";

describe("DemoClient", () => {
  let client: DemoClient;

  beforeEach(async () => {
    vi.useFakeTimers();
    client = new DemoClient({ isLoggedIn: true, messages: 120 });
    const entered = client.resume();
    await vi.advanceTimersByTimeAsync(1_000);
    await entered;
  });

  afterEach(() => {
    client.close();
    vi.useRealTimers();
  });

  /** Awaits what takes the demo's delay. */
  async function settled<T>(promise: Promise<T>): Promise<T> {
    await vi.advanceTimersByTimeAsync(1_000);
    return promise;
  }

  it("reads history from both sides of a message without a gap", async () => {
    const id = client.conversationWith("10002");
    const older = await settled(client.history(id, { at: "before", seq: 60 }, 10));
    const newer = await settled(client.history(id, { at: "after", seq: 59 }, 10));
    expect(older.entries.map((one) => one.seq)).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59]);
    expect(newer.entries[0]?.seq).toBe(60);
    expect([older.hasNewer, newer.hasOlder]).toEqual([true, true]);
  });

  it("takes a message from sending to read under one key", async () => {
    const id = client.conversationWith("10002");
    const message = await client.send(id, { text: "你好" });
    await settled(Promise.resolve());
    await vi.advanceTimersByTimeAsync(2_000);
    const page = await settled(client.history(id, { at: "end" }));
    const own = page.entries.find((one) => one.key === message.key) as Message;
    const list = await settled(client.conversations());
    const conversation = list.find((one) => one.conversationId === id);
    if (conversation === undefined) throw new Error("not in the list");
    expect(messageState(message, conversation)).toBe("sending");
    expect(messageState(own, conversation)).toBe("read");
  });

  it("fails on request, and succeeds when tried again", async () => {
    const seen: EntriesEvent[] = [];
    client.on("entries", (event) => seen.push(event));
    const message = await client.send(client.conversationWith("10002"), { text: "/fail" });
    await vi.advanceTimersByTimeAsync(1_000);
    await client.retry(message.conversationId, message.key);
    await vi.advanceTimersByTimeAsync(1_000);
    const states = seen.map((event) => (event.entries[0] as Message).state);
    expect(states).toEqual(["sending", "failed", "sending", "sent"]);
  });
});
