import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeServer, FakeSocket } from "../../tests/fake_server";
import type { Connection } from "./connection";
import type { Token } from "./credentials";
import { Dialer } from "./dialer";
import { ChatError, ErrorCode } from "./errors";
import { Request } from "./wire/packets";

const URLS = ["ws://one/ws", "ws://two/ws"];
const TOKEN: Token = { accessToken: "token", deviceId: new Uint8Array(16) };

describe("Dialer", () => {
  let server: FakeServer;
  let dialer: Dialer;
  let connection: Connection | undefined;
  const credentials = { forget: vi.fn(), renewed: vi.fn() };
  const directory = { avoid: vi.fn() };
  const stopping = new AbortController();

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("WebSocket", FakeSocket);
    vi.resetAllMocks();
    server = new FakeServer();
    server.answer(Request.RESUME, () => ({ userId: "10001", accessToken: "next", accessExpiresAtMs: "7" }));
    const nothing = () => undefined;
    dialer = new Dialer({
      userId: "10001",
      credentials: credentials as never,
      directory: directory as never,
      agent: "test/1",
      language: "",
      onPush: nothing,
      onMissed: nothing,
    });
  });
  afterEach(() => {
    connection?.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const urls = () => server.sockets.map((one) => one.url);
  const avoided = () => directory.avoid.mock.calls.flat();

  async function connect({ signal } = stopping, onReached?: () => void): Promise<Connection> {
    return (connection = await dialer.connect(URLS, TOKEN, signal, onReached));
  }

  it("logs in at the first unit that answers, and keeps the token that it gets there", async () => {
    expect((await connect()).url).toBe("ws://one/ws");
    expect(urls()).toEqual(["ws://one/ws"]);
    expect(credentials.renewed).toHaveBeenCalledWith("next", 7);
    expect(avoided()).toEqual([]);
  });

  it("goes to the next unit when one is not there, and has that one avoided", async () => {
    server.dead.add("ws://one/ws");
    expect((await connect()).url).toBe("ws://two/ws");
    expect(avoided()).toEqual(["ws://one/ws"]);
  });

  it("gives a silent unit less time when there is another one", async () => {
    server.answer(Request.HELLO, () => undefined);
    const refused = expect(connect()).rejects.toMatchObject({ code: ErrorCode.TIMED_OUT });
    await vi.advanceTimersByTimeAsync(2_900);
    expect(urls()).toEqual(["ws://one/ws"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(urls()).toEqual(URLS);
    await vi.advanceTimersByTimeAsync(9_800);
    expect(server.last.readyState).toBe(FakeSocket.OPEN);
    await vi.advanceTimersByTimeAsync(200);
    await refused;
    expect(server.last.readyState).toBe(3);
  });

  it("tries no further unit when it is stopped", async () => {
    const stopped = new AbortController();
    server.dead.add("ws://one/ws").add("ws://two/ws");
    const refused = expect(connect(stopped)).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
    stopped.abort();
    await refused;
    expect(urls()).toEqual(["ws://one/ws"]);
  });

  it("says that a unit is reached before it logs in there", async () => {
    server.dead.add("ws://one/ws");
    const asked: number[][] = [];
    await connect(stopping, () => asked.push([...server.asked]));
    expect(asked).toEqual([[]]);
    expect(server.asked).toEqual([Request.RESUME.type]);
  });

  it.each([
    { code: ErrorCode.BUSY, leaves: [] },
    { code: ErrorCode.DRAINING, leaves: ["ws://one/ws"] },
  ])("lets go of a unit that refuses the log-in for now ($code)", async ({ code, leaves }) => {
    server.answer(Request.RESUME, () => new ChatError(code));
    await expect(connect()).rejects.toMatchObject({ code });
    expect(server.last.readyState).toBe(3);
    expect(urls()).toEqual(["ws://one/ws"]);
    expect(avoided()).toEqual(leaves);
    expect(credentials.forget).not.toHaveBeenCalled();
  });

  it("forgets an access token that is refused, and leaves it to the next try", async () => {
    server.answer(Request.RESUME, () => new ChatError(ErrorCode.TOKEN_EXPIRED));
    await expect(connect()).rejects.toMatchObject({ code: ErrorCode.UNAVAILABLE });
    expect(credentials.forget).toHaveBeenCalledOnce();
    expect(server.last.readyState).toBe(3);
  });

  it("does not come in as somebody else", async () => {
    server.answer(Request.RESUME, () => ({ userId: "10002" }));
    await expect(connect()).rejects.toMatchObject({ code: ErrorCode.NOT_LOGGED_IN });
    expect(server.last.readyState).toBe(3);
    expect(credentials.renewed).not.toHaveBeenCalled();
  });
});
