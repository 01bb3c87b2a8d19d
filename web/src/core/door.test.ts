import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { FakeServer, FakeSocket } from "../../tests/fake_server";
import { Directory } from "./directory";
import { Door } from "./door";
import { ChatError, ErrorCode } from "./errors";
import { Request } from "./wire/packets";

let server: FakeServer;
let door: Door;

beforeEach(() => {
  vi.stubGlobal("WebSocket", FakeSocket);
  server = new FakeServer();
  const units = ["ws://one/ws", "ws://two/ws"].map((websocket) => ({ websocket }));
  const directory = new Directory("http://one", async () => Response.json({ units }));
  door = new Door({ directory, agent: "test/1", language: "en" });
});
afterEach(() => void vi.unstubAllGlobals());

it("asks the first unit that is there, and leaves nothing open", async () => {
  server.dead.add("ws://one/ws");
  server.answer(Request.REGISTER, ({ nickname }) => ({ userId: "10007", recoveryCode: `code of ${nickname}` }));
  expect(await door.register("Ann", "password", "")).toEqual({ userId: "10007", recoveryCode: "code of Ann" });
  expect(server.last.url).toBe("ws://two/ws");
  expect(server.sockets.map((one) => one.readyState)).toEqual([3, 3]);
});

it("asks for an account once more when the connection breaks, under the same operation", async () => {
  const operations: string[] = [];
  server.answer(Request.REGISTER, ({ operationId }, socket) => {
    operations.push(operationId.join());
    if (operations.length > 1) return { userId: "10007" };
    socket.drop();
    return undefined;
  });
  expect((await door.register("Ann", "password", "")).userId).toBe("10007");
  expect(new Set(operations).size).toBe(1);
});

it("does not use a recovery code twice: the first may have done it", async () => {
  server.answer(Request.RECOVER_PASSWORD, (_, socket) => {
    socket.drop();
    return undefined;
  });
  const refused = door.recoverPassword("10007", "code", "password");
  await expect(refused).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  expect(server.asked).toHaveLength(1);
});

it("tells what the server says", async () => {
  server.answer(Request.REGISTER, () => new ChatError(ErrorCode.BAD_NICKNAME));
  await expect(door.register("", "password", "")).rejects.toMatchObject({ code: ErrorCode.BAD_NICKNAME });
});
