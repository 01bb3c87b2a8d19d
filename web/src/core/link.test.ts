import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeServer, FakeSocket } from "../../tests/fake_server";
import { Credentials } from "./credentials";
import { Directory } from "./directory";
import { ChatError, ErrorCode } from "./errors";
import { Link } from "./link";
import type { Connection as State } from "./model/connection";
import { GoAwaySchema, KickedSchema, KickReason } from "./wire/_pb/tinyqq/_pb/client_pb";
import { Push, Request } from "./wire/packets";

const SESSION = {
  user_id: "10001",
  nickname: "安安",
  must_change_password: false,
  access_token: "token",
  device_id: "0a".repeat(16),
};

describe("Link", () => {
  let server: FakeServer;
  let link: Link;
  let states: State[];
  let units: readonly string[];
  let waitMs: number;
  let isLoggedIn: boolean;
  let isAway: boolean;
  let expiresAtMs: number;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("WebSocket", FakeSocket);
    server = new FakeServer();
    server.answer(Request.RESUME, () => ({ userId: "10001", accessToken: "next", accessExpiresAtMs: String(expiresAtMs) }));
    states = [];
    units = ["ws://one/ws", "ws://two/ws"];
    waitMs = 0;
    isLoggedIn = true;
    isAway = false;
    expiresAtMs = Number.MAX_SAFE_INTEGER;
    const fetcher: typeof fetch = async (input) => {
      if (isAway) throw new TypeError("network");
      if (String(input).endsWith("/v1/units")) {
        return new Response(JSON.stringify({ units: units.map((websocket) => ({ websocket })), wait_ms: waitMs }));
      }
      if (isLoggedIn) return Response.json({ ...SESSION, access_expires_at_ms: expiresAtMs });
      return new Response(JSON.stringify({ code: ErrorCode.TOKEN_INVALID }), { status: 401 });
    };
    const nothing = () => undefined;
    link = new Link({
      userId: "10001",
      credentials: new Credentials("http://one", fetcher),
      directory: new Directory("http://one", fetcher),
      agent: "test/1",
      language: "",
      random: () => 1,
      user: { onUp: nothing, onDown: nothing, onPush: nothing, onMissed: nothing, onState: (state) => states.push(state) },
    });
  });
  afterEach(() => {
    link.stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const last = () => states.at(-1);
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it("goes to the first unit of the directory", async () => {
    link.start();
    await pass(10);
    expect(last()).toMatchObject({ state: "online", unitId: "unit-1" });
    expect(server.sockets.map((one) => one.url)).toEqual(["ws://one/ws"]);
  });

  it("waits as long as the directory says before it comes", async () => {
    waitMs = 5_000;
    link.start();
    await pass(4_900);
    expect(last()?.state).toBe("waiting");
    link.reconnect();
    await pass(10);
    expect(server.sockets).toHaveLength(0);
    await pass(200);
    expect(last()?.state).toBe("online");
  });

  it("comes back after a loss, later each time, and elsewhere first", async () => {
    link.start();
    await pass(10);
    server.last.drop();
    await pass(10);
    expect(last()).toMatchObject({ state: "waiting" });
    await pass(250);
    expect(last()?.state).toBe("online");
    expect(server.last.url).toBe("ws://two/ws");
    server.last.drop();
    await pass(300);
    expect(last()?.state).toBe("waiting");
    link.reconnect();
    await pass(10);
    expect(last()?.state).toBe("online");
  });

  it("repeats on the next connection what was asked on one that broke", async () => {
    link.start();
    await pass(10);
    const asked = link.call(Request.LIST_GROUPS, {});
    await pass(10);
    server.answer(Request.LIST_GROUPS, () => ({ groups: [{ groupId: "20001" }] }));
    server.last.drop();
    await pass(1_000);
    expect((await asked).groups).toHaveLength(1);
  });

  it("repeats what was refused for now, not what was refused for good", async () => {
    link.start();
    await pass(10);
    const refusals = [new ChatError(ErrorCode.BUSY, {}, 500), new ChatError(ErrorCode.FORBIDDEN)];
    server.answer(Request.LIST_GROUPS, () => refusals.shift());
    const refused = expect(link.call(Request.LIST_GROUPS, {})).rejects.toMatchObject({ code: ErrorCode.FORBIDDEN });
    await pass(499);
    expect(refusals).toHaveLength(1);
    await pass(400);
    await refused;
  });

  /** Its unit leaves: it is told to go. */
  const sendAway = (afterMs = 0, url = "ws://three/ws") =>
    server.last.push(Push.GO_AWAY, GoAwaySchema, { code: 7003, afterMs, url });

  it("moves when its unit leaves, at the time and to the place it says", async () => {
    link.start();
    await pass(10);
    sendAway(3_000);
    await pass(2_900);
    expect(server.sockets).toHaveLength(1);
    await pass(200);
    expect(server.last.url).toBe("ws://three/ws");
    expect(last()?.state).toBe("online");
    expect(states.some((one) => one.state === "waiting")).toBe(false);
  });

  it("leaves the old unit only when the new one has let it in", async () => {
    link.start();
    await pass(10);
    const [old] = server.sockets;
    server.answer(Request.RESUME, () => undefined);
    sendAway();
    await pass(100);
    expect(server.sockets).toHaveLength(2);
    expect(old?.readyState).toBe(1);
    expect(states.map((one) => one.state)).toEqual(["connecting", "online"]);
  });

  it("takes being replaced by itself for no kick", async () => {
    link.start();
    await pass(10);
    const old = server.last;
    server.answer(Request.RESUME, () => {
      old.push(Push.KICKED, KickedSchema, { reason: KickReason.REPLACED });
      old.drop();
      return { userId: "10001", accessToken: "next", accessExpiresAtMs: String(Number.MAX_SAFE_INTEGER) };
    });
    sendAway();
    await pass(100);
    expect(last()).toMatchObject({ state: "online" });
    expect(server.last.url).toBe("ws://three/ws");
    expect(server.last.readyState).toBe(1);
  });

  it("stays, and tries again, while no other unit takes it", async () => {
    link.start();
    await pass(10);
    server.answer(Request.RESUME, () => new ChatError(ErrorCode.BUSY));
    sendAway();
    await pass(100);
    expect(server.sockets[0]?.readyState).toBe(1);
    server.answer(Request.RESUME, () => ({ userId: "10001", accessToken: "next" }));
    await pass(2_100);
    expect(server.sockets[0]?.readyState).toBe(3);
    expect(last()?.state).toBe("online");
  });

  it("asks on the new connection what the old one had not answered", async () => {
    link.start();
    await pass(10);
    const asked = link.call(Request.LIST_GROUPS, {});
    await pass(10);
    server.answer(Request.LIST_GROUPS, () => ({ groups: [{ groupId: "20001" }] }));
    sendAway();
    await pass(500);
    expect((await asked).groups).toHaveLength(1);
  });

  it("renews a token that ends soon by another log-in when the page's node is away", async () => {
    expiresAtMs = Date.now() + 15 * 60_000;
    server.answer(Request.HEARTBEAT, () => ({}));
    link.start();
    await pass(10);
    isAway = true;
    await pass(4 * 60_000);
    expect(server.sockets).toHaveLength(1);
    await pass(6 * 60_000 + 1_000);
    expect(server.sockets.length).toBeGreaterThan(1);
    expect(states.map((one) => one.state).every((state) => state !== "waiting")).toBe(true);
  });

  it("names other addresses when the page's node is away and the log-in cannot be renewed", async () => {
    expiresAtMs = Date.now() + 60_000;
    link.start();
    await pass(10);
    isAway = true;
    vi.setSystemTime(Date.now() + 120_000);
    server.last.drop();
    await pass(20);
    await pass(1_000);
    expect(last()).toMatchObject({ state: "waiting", elsewhere: ["http://two"] });
  });

  it("finds out at once whether it is still connected when it is asked to", async () => {
    link.start();
    await pass(1_500);
    link.reconnect();
    await pass(100);
    expect(server.asked).toContain(Request.HEARTBEAT.type);
    await pass(4_000);
    expect(server.sockets[0]?.readyState).toBe(3);
  });

  it("does not come back when it was kicked", async () => {
    link.start();
    await pass(10);
    server.last.push(Push.KICKED, KickedSchema, { reason: KickReason.REPLACED, deviceName: "phone" });
    await pass(60_000);
    expect(last()).toEqual({ state: "kicked", reason: "replaced", deviceName: "phone" });
    expect(server.sockets).toHaveLength(1);
    await expect(link.call(Request.LIST_GROUPS, {})).rejects.toMatchObject({ code: ErrorCode.NOT_LOGGED_IN });
  });

  it("asks by the cookie when the access token is refused, and ends when that is refused too", async () => {
    server.answer(Request.RESUME, () => new ChatError(ErrorCode.TOKEN_EXPIRED));
    link.start();
    await pass(10);
    expect(last()?.state).toBe("waiting");
    isLoggedIn = false;
    await pass(1_000);
    expect(last()).toMatchObject({ state: "ended", error: { code: ErrorCode.TOKEN_INVALID } });
  });

  it("ends when somebody else has logged in with this browser", async () => {
    server.answer(Request.RESUME, () => ({ userId: "10002" }));
    link.start();
    await pass(10);
    expect(last()?.state).toBe("ended");
  });

  it("tells those who wait that it took too long", async () => {
    server.dead.add("ws://one/ws").add("ws://two/ws");
    link.start();
    const refused = expect(link.call(Request.LIST_GROUPS, {}, 2_000)).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
    await pass(2_100);
    await refused;
  });
});
