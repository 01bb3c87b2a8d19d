import { describe, expect, it } from "vitest";

import { ChatError } from "./errors";
import { Outbox, type Outgoing } from "./outbox";

function outgoing(id: string, conversationId = "7"): Outgoing {
  return { conversationId, clientMessageId: id, kind: 1, body: new Uint8Array() };
}

function drain(outbox: Outbox): string[] {
  const found: string[] = [];
  for (let one = outbox.next(); one; one = outbox.next()) {
    found.push(`${one.outgoing.clientMessageId}/${one.flight}`);
  }
  return found;
}

describe("Outbox", () => {
  it("gives each message once, in order", () => {
    const outbox = new Outbox([outgoing("a"), outgoing("b")]);
    outbox.add(outgoing("c"));
    expect(drain(outbox)).toEqual(["a/1", "b/1", "c/1"]);
    expect(drain(outbox)).toEqual([]);
  });

  it("lets conversations take turns", () => {
    const outbox = new Outbox([outgoing("a"), outgoing("b"), outgoing("x", "8")]);
    expect(drain(outbox)).toEqual(["a/1", "x/1", "b/1"]);
  });

  it("repeats what is unacknowledged on a new connection, in order", () => {
    const outbox = new Outbox([outgoing("a"), outgoing("b"), outgoing("c")]);
    drain(outbox);
    outbox.acknowledge("b");
    outbox.startOver();
    expect(drain(outbox)).toEqual(["a/1", "c/1"]);
  });

  it("pauses a conversation at the first refusal of a flight and goes on in the next", () => {
    const outbox = new Outbox([outgoing("a"), outgoing("b"), outgoing("x", "8")]);
    drain(outbox);
    expect(outbox.refuseForNow("a", 1)).toBe(true);
    expect(outbox.refuseForNow("b", 1)).toBe(false);
    outbox.add(outgoing("c"));
    expect(drain(outbox)).toEqual([]);
    outbox.goOn("7");
    expect(drain(outbox)).toEqual(["a/2", "b/2", "c/2"]);
  });

  it("never sends what is acknowledged while it waits", () => {
    const outbox = new Outbox([outgoing("a"), outgoing("b")]);
    outbox.acknowledge("a");
    expect(drain(outbox)).toEqual(["b/1"]);
    expect(outbox.acknowledge("a")).toBeUndefined();
    expect(outbox.size).toBe(1);
  });

  it("refuses what exceeds its bound", () => {
    const outbox = new Outbox([outgoing("a")], 1);
    expect(() => outbox.add(outgoing("b"))).toThrow(ChatError);
  });
});
