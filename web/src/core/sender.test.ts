import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeServer, FakeSocket } from "../../tests/fake_server";
import { Connection } from "./connection";
import { ChatError, ErrorCode } from "./errors";
import { Outbox, type Outgoing } from "./outbox";
import { Sender } from "./sender";
import { Request } from "./wire/packets";

const MAX_IN_FLIGHT = 4;

function outgoing(number: number): Outgoing {
  const clientMessageId = number.toString(16).padStart(32, "0");
  return { conversationId: "20001", clientMessageId, kind: 1, body: new Uint8Array() };
}

describe("Sender", () => {
  let server: FakeServer;
  let sender: Sender;
  /** What the server got: number and flight. */
  let got: string[];
  let sent: string[];
  let refused: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("WebSocket", FakeSocket);
    server = new FakeServer();
    [got, sent, refused] = [[], [], []];
    take(() => ({ seq: "1" }));
    sender = new Sender({
      outbox: new Outbox(),
      random: () => 1,
      onSent: ({ clientMessageId }) => {
        sent.push(numberOf(clientMessageId));
        sender.seen(clientMessageId);
      },
      onRefused: ({ clientMessageId }, error) => refused.push(`${numberOf(clientMessageId)} ${error.codeName}`),
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const numberOf = (clientMessageId: string) => String(Number.parseInt(clientMessageId, 16));

  function take(answer: (number: string) => { readonly seq: string } | ChatError | undefined): void {
    server.answer(Request.SEND, ({ clientMessageId, flight }) => {
      const number = String(clientMessageId.at(-1));
      got.push(`${number}/${flight}`);
      return answer(number);
    });
  }

  async function connect(): Promise<void> {
    const options = { agent: "", language: "", onPush: () => undefined, onMissed: () => undefined };
    sender.use(await Connection.open("ws://unit/ws", options));
  }

  const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

  it("sends in order, never more at once than its share of what the server allows", async () => {
    take(() => undefined);
    await connect();
    for (let number = 1; number <= 6; number++) sender.add(outgoing(number));
    await pass();
    expect(got).toHaveLength(MAX_IN_FLIGHT * 0.75);
    expect(got).toEqual(["1/1", "2/1", "3/1"]);
  });

  it("sends on as answers come", async () => {
    await connect();
    for (let number = 1; number <= 6; number++) sender.add(outgoing(number));
    await pass();
    expect(sent).toEqual(["1", "2", "3", "4", "5", "6"]);
  });

  it("sends again on the next connection what was not acknowledged", async () => {
    take((number) => (number === "1" ? { seq: "1" } : undefined));
    await connect();
    for (const number of [1, 2, 3]) sender.add(outgoing(number));
    await pass();
    sender.use(undefined);
    server.last.drop();
    got = [];
    await connect();
    await pass();
    expect(got).toEqual(["2/1", "3/1"]);
    expect(refused).toEqual([]);
  });

  it("goes on in the next flight, in order, when one is refused for now", async () => {
    const busy = new Set(["1"]);
    take((number) => {
      if (busy.delete(number)) return new ChatError(ErrorCode.BUSY, {}, 400);
      return got.at(-1)?.endsWith("/1") ? new ChatError(ErrorCode.FLIGHT_BROKEN) : { seq: "1" };
    });
    await connect();
    for (const number of [1, 2]) sender.add(outgoing(number));
    await pass(399);
    expect(sent).toEqual([]);
    await pass(400);
    expect(got).toEqual(["1/1", "2/1", "1/2", "2/2"]);
    expect(sent).toEqual(["1", "2"]);
  });

  it("gives up what is refused for good, and only that", async () => {
    take((number) => (number === "1" ? new ChatError(ErrorCode.TEXT_TOO_LONG) : { seq: "1" }));
    await connect();
    for (const number of [1, 2]) sender.add(outgoing(number));
    await pass();
    expect([refused, sent]).toEqual([["1 TEXT_TOO_LONG"], ["2"]]);
  });
});
