import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ChatClient, ChatEvents, Connection } from "../core/api";
import { Emitter } from "../core/emitter";
import { ChatError, ErrorCode } from "../core/errors";
import { readInBackground } from "./background";

const ONLINE: Connection = { state: "online", unitId: "unit", isSyncing: false };

describe("readInBackground", () => {
  const events = new Emitter<ChatEvents>();
  const client = { connection: ONLINE as Connection, on: events.on.bind(events) };
  const read = vi.fn<() => Promise<void>>();
  const start = readInBackground(client as unknown as ChatClient, read);

  beforeEach(() => {
    vi.useFakeTimers();
    read.mockReset();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("reads once when all is well", async () => {
    read.mockResolvedValue();
    start();
    await vi.advanceTimersByTimeAsync(10_000);
    events.emit("connection", ONLINE);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it("reads again as soon as the connection is back", async () => {
    read.mockRejectedValueOnce(new ChatError(ErrorCode.CONNECTION_LOST)).mockResolvedValue();
    client.connection = { state: "connecting" } as Connection;
    start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(read).toHaveBeenCalledTimes(1);
    events.emit("connection", ONLINE);
    events.emit("connection", ONLINE);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("reads again after a while on a connection that is there", async () => {
    read.mockRejectedValueOnce(new ChatError(ErrorCode.CONNECTION_LOST)).mockResolvedValue();
    client.connection = ONLINE;
    start();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("reads once more, not at once, when it is asked for meanwhile", async () => {
    let finish: () => void = () => undefined;
    read.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve))).mockResolvedValue();
    start();
    start();
    start();
    await vi.advanceTimersByTimeAsync(0);
    expect(read).toHaveBeenCalledTimes(1);
    finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("reads so often at most, and once more for what was asked for meanwhile", async () => {
    const seldom = vi.fn<() => Promise<void>>().mockResolvedValue();
    const startSeldom = readInBackground(client as unknown as ChatClient, seldom, 1_000);
    for (let time = 0; time < 5; time++) {
      startSeldom();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(seldom).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(seldom).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seldom).toHaveBeenCalledTimes(2);
  });

  it("leaves it at a refusal", async () => {
    read.mockRejectedValue(new ChatError(ErrorCode.FORBIDDEN));
    start();
    await vi.advanceTimersByTimeAsync(10_000);
    events.emit("connection", ONLINE);
    expect(read).toHaveBeenCalledTimes(1);
  });
});
