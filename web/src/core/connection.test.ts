import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeServer, FakeSocket } from "../../tests/fake_server";
import { Connection, type ConnectionOptions } from "./connection";
import { ChatError, ErrorCode } from "./errors";
import { KickedSchema } from "./wire/_pb/tinyqq/_pb/client_pb";
import { Push, Request, encodeBody } from "./wire/packets";

const OPTIONS: ConnectionOptions = {
  agent: "test/1",
  language: "",
  onPush: () => undefined,
  onMissed: () => undefined,
};

describe("Connection", () => {
  let server: FakeServer;

  beforeEach(() => {
    vi.stubGlobal("WebSocket", FakeSocket);
    server = new FakeServer();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("asks and gets the answer to what it asked", async () => {
    server.answer(Request.GET_PROFILE, ({ userId }) => ({ userId, nickname: `n${userId}` }));
    const connection = await Connection.open("ws://unit/ws", OPTIONS);
    const asked = ["10002", "10003"].map((userId) =>
      connection.request(Request.GET_PROFILE, { userId }, 1_000),
    );
    expect((await Promise.all(asked)).map((one) => one.nickname)).toEqual(["n10002", "n10003"]);
    expect(connection.unitId).toBe("unit-1");
  });

  it("waits when as much is in flight as the server allows", async () => {
    const connection = await Connection.open("ws://unit/ws", OPTIONS);
    const asked = Array.from({ length: 6 }, () => connection.request(Request.LIST_GROUPS, {}, 5_000));
    await vi.waitFor(() => expect(server.asked).toHaveLength(4));
    server.answer(Request.LIST_GROUPS, () => ({}));
    for (let requestId = 2; requestId <= 5; requestId++) {
      server.last.deliver(Request.LIST_GROUPS.type | 0x8000, requestId, new Uint8Array());
    }
    await Promise.all(asked);
    expect(server.asked).toHaveLength(6);
  });

  it("lets nobody wait for room longer than for an answer", async () => {
    vi.useFakeTimers();
    const connection = await Connection.open("ws://unit/ws", OPTIONS);
    for (let one = 0; one < 4; one++) connection.send(Request.SEND, new Uint8Array(), () => undefined);
    const refused = expect(connection.request(Request.LIST_GROUPS, {}, 2_000)).rejects.toMatchObject({
      code: ErrorCode.TIMED_OUT,
    });
    await vi.advanceTimersByTimeAsync(2_000);
    await refused;
    expect(server.asked).not.toContain(Request.LIST_GROUPS.type);
  });

  it("gives everybody who waits CONNECTION_LOST when it is lost", async () => {
    const connection = await Connection.open("ws://unit/ws", OPTIONS);
    const asked = connection.request(Request.LIST_GROUPS, {}, 5_000);
    const answer = vi.fn();
    connection.send(Request.SEND, encodeBody(Request.SEND.request, {}), answer);
    server.last.drop();
    await expect(asked).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
    expect(answer).toHaveBeenCalledWith(expect.objectContaining({ code: ErrorCode.CONNECTION_LOST }));
    expect((await connection.closed).code).toBe(ErrorCode.CONNECTION_LOST);
  });

  it("tells the server's last word", async () => {
    const connection = await Connection.open("ws://unit/ws", OPTIONS);
    server.refuse(server.last, 0, new ChatError(ErrorCode.BUSY, {}, 700));
    expect(await connection.closed).toMatchObject({ code: ErrorCode.BUSY, retryAfterMs: 700 });
    expect(server.last.readyState).toBe(3);
  });

  it("hands pushes on, in order", async () => {
    const onPush = vi.fn();
    await Connection.open("ws://unit/ws", { ...OPTIONS, onPush });
    for (const deviceName of ["a", "b"]) server.last.push(Push.KICKED, KickedSchema, { deviceName });
    expect(onPush.mock.calls.map(([push]) => (push as { deviceName: string }).deviceName)).toEqual(["a", "b"]);
  });

  it("gives a server up that does not answer the hello", async () => {
    vi.useFakeTimers();
    server.answer(Request.HELLO, () => undefined);
    const opened = Connection.open("ws://unit/ws", { ...OPTIONS, openTimeoutMs: 3_000 });
    const refused = expect(opened).rejects.toMatchObject({ code: ErrorCode.TIMED_OUT });
    await vi.advanceTimersByTimeAsync(3_000);
    await refused;
    expect(server.last.readyState).toBe(3);
  });

  it("gives a server up that does not answer a heartbeat", async () => {
    vi.useFakeTimers();
    const connection = await Connection.open("ws://unit/ws", OPTIONS);
    await vi.advanceTimersByTimeAsync(33_000);
    expect((await connection.closed).code).toBe(ErrorCode.IDLE_TIMEOUT);
  });

  it("tells a URL that cannot be opened as a lost connection", async () => {
    vi.stubGlobal("WebSocket", class { constructor() { throw new SyntaxError("no URL"); } });
    await expect(Connection.open("nothing", OPTIONS)).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  });
});
