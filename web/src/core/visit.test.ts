import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { ANN, CHAT } from "../../tests/entries";
import { FakeServer, FakeSocket } from "../../tests/fake_server";
import type { ChatEvents } from "./api";
import { Credentials } from "./credentials";
import { Directory } from "./directory";
import { Emitter } from "./emitter";
import { ErrorCode } from "./errors";
import { Files } from "./files";
import type { Conversation } from "./model/conversations";
import { MemoryStore } from "./store";
import { Visit } from "./visit";
import { Request } from "./wire/packets";

const SESSION = {
  user_id: ANN,
  nickname: "Ann",
  must_change_password: false,
  access_token: "token",
  access_expires_at_ms: Number.MAX_SAFE_INTEGER,
  device_id: "00".repeat(16),
};

let server: FakeServer;
let store: MemoryStore;
let events: Emitter<ChatEvents>;
let told: Conversation[][];
let visit: Visit;
let listing: (() => void)[];

beforeEach(async () => {
  vi.stubGlobal("WebSocket", FakeSocket);
  server = new FakeServer();
  server.answer(Request.RESUME, () => ({ userId: ANN, accessToken: "next", accessExpiresAtMs: "9999999999999" }));
  server.answer(Request.GET_OVERVIEW, () => ({
    conversations: [
      { conversationId: CHAT, headSeq: "2", sinceSeq: "1", untilSeq: "2", name: "Bob" },
      { conversationId: "20001", headSeq: "1", sinceSeq: "1", untilSeq: "1", name: "Hikers" },
    ],
  }));
  store = new MemoryStore();
  events = new Emitter();
  told = [];
  listing = [];
  events.on("conversations", (all) => told.push([...all]));
  visit = await open();
});
afterEach(async () => {
  visit.stop();
  await visit.log.close();
  vi.unstubAllGlobals();
});

async function open(): Promise<Visit> {
  const fetcher: typeof fetch = async (input) =>
    Response.json(String(input).endsWith("/v1/units") ? { units: [{ websocket: "ws://one/ws" }] } : SESSION);
  const credentials = new Credentials("http://one", fetcher);
  return Visit.open({
    me: ANN,
    store,
    credentials,
    directory: new Directory("http://one", fetcher),
    files: new Files("http://one", fetcher, credentials),
    events,
    agent: "test/1",
    language: "",
    nameOf: async () => "Named",
    onState: () => undefined,
    onSynced: () => listing.shift()?.(),
  });
}

const synced = () => new Promise<void>((resolve) => listing.push(resolve));

it("has no list before the server's, when nothing was kept", async () => {
  const conversations = visit.conversations();
  expect(visit.mailbox.conversations()).toEqual([]);
  visit.link.start();
  expect((await conversations).map((one) => one.name)).toEqual(["Bob", "Hikers"]);
});

it("has what was kept at once", async () => {
  await store.keep("groups", ["20001"]);
  visit.log.change(CHAT, (row) => ({ ...row, name: "Bob" }));
  expect(await visit.conversations()).toHaveLength(1);
  expect(await visit.kept("groups", async () => [])).toEqual(["20001"]);
});

it("tells of a whole list in one event", async () => {
  visit.link.start();
  await visit.conversations();
  await vi.waitFor(() => expect(told).toHaveLength(1));
  expect(told[0]).toHaveLength(2);
});

it("asks for other things after the list, and keeps the answer", async () => {
  const asked: string[] = [];
  const contacts = visit.kept("contacts", async () => {
    asked.push("contacts", `${visit.mailbox.conversations().length} listed`);
    return ["10002"];
  });
  visit.link.start();
  expect(await contacts).toEqual(["10002"]);
  expect(asked).toEqual(["contacts", "2 listed"]);
  await visit.log.flush();
  expect(await store.kept("contacts")).toEqual(["10002"]);
});

it("has contacts read again only where they were read before", async () => {
  let changes = 0;
  events.on("contactsChanged", () => (changes += 1));
  visit.link.start();
  await synced();
  await visit.kept("contacts", async () => []);
  expect(changes).toBe(0);
  server.last.drop();
  visit.link.reconnect();
  await vi.waitFor(() => expect(changes).toBe(1));
});

it("lets nobody wait for a list that will never come", async () => {
  const conversations = visit.conversations();
  visit.stop();
  expect(await conversations).toEqual([]);
});

it("answers nobody any more when it is over: who asks may be somebody else by then", async () => {
  await store.keep("groups", ["20001"]);
  const ask = vi.fn(async () => ["10002"]);
  const asked = [visit.kept("groups", ask), visit.kept("contacts", ask)];
  visit.stop();
  for (const one of asked) await expect(one).rejects.toMatchObject({ code: ErrorCode.NOT_LOGGED_IN });
  expect(ask).not.toHaveBeenCalled();
});

it("gives a name to a conversation that came without one", async () => {
  visit.log.change(CHAT, (row) => ({ ...row, headSeq: 1 }));
  await vi.waitFor(() => expect(visit.log.row(CHAT)?.name).toBe("Named"));
});
