import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { ANN } from "../../tests/entries";
import { FakeServer, FakeSocket } from "../../tests/fake_server";
import { ErrorCode } from "./errors";
import { RealChatClient } from "./real";
import { MemoryStore, type Saved } from "./store";

const SESSION = {
  user_id: ANN,
  nickname: "Ann",
  must_change_password: false,
  access_token: "token",
  access_expires_at_ms: Number.MAX_SAFE_INTEGER,
  device_id: "00".repeat(16),
};

/** Reads what the last visit left when the test says so. */
class SlowStore extends MemoryStore {
  go: () => void = () => undefined;
  isClosed = false;
  readonly #begun = new Promise<void>((resolve) => (this.go = resolve));

  override async load(): Promise<Saved> {
    await this.#begun;
    return super.load();
  }

  override close(): void {
    this.isClosed = true;
  }
}

let server: FakeServer;
let store: SlowStore;
let memory: Map<string, string>;
let client: RealChatClient;

beforeEach(() => {
  vi.stubGlobal("WebSocket", FakeSocket);
  server = new FakeServer();
  store = new SlowStore();
  memory = new Map([["tinyqq.account", JSON.stringify({ userId: ANN, nickname: "Ann" })]]);
  client = new RealChatClient({
    origin: "http://one",
    fetch: async (input) =>
      Response.json(String(input).endsWith("/v1/units") ? { units: [{ websocket: "ws://one/ws" }] } : SESSION),
    language: "en",
    deviceName: "Node",
    agent: "test/1",
    memory: {
      getItem: (name) => memory.get(name) ?? null,
      setItem: (name, value) => void memory.set(name, value),
      removeItem: (name) => void memory.delete(name),
    },
    openStore: () => store,
  });
});
afterEach(() => {
  client.close();
  vi.unstubAllGlobals();
});

it("shows who was here last at once, and connects", async () => {
  store.go();
  expect(await client.resume()).toMatchObject({ userId: ANN, nickname: "Ann" });
  await vi.waitFor(() => expect(server.sockets).toHaveLength(1));
});

it("does not come in any more when it is closed meanwhile", async () => {
  const resumed = client.resume();
  client.close();
  store.go();
  await expect(resumed).rejects.toMatchObject({ code: ErrorCode.NOT_LOGGED_IN });
  expect(client.account).toBeNull();
  expect(store.isClosed).toBe(true);
});

it("lets the later of two come in, and nobody twice", async () => {
  const outcomes = Promise.allSettled([client.logIn(ANN, "password"), client.logIn(ANN, "password")]);
  store.go();
  expect((await outcomes).map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
});

it("forgets who was here, on the machine too, when they log out", async () => {
  store.go();
  await client.resume();
  await client.logOut();
  expect(client.account).toBeNull();
  expect(memory.has("tinyqq.account")).toBe(false);
});
