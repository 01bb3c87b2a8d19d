import { describe, expect, it } from "vitest";

import { readVectors } from "../../../tests/vectors";
import { ChatError } from "../errors";
import { fromHex, toHex } from "../ids";
import { ClientSession, type SessionEvent } from "./client_session";
import { HEADER_BYTES } from "./framing";
import { Request } from "./packets";

type VectorEvent =
  | { readonly reply: number }
  | { readonly error: number; readonly code: string; readonly retry_after_ms: number }
  | { readonly push: number }
  | { readonly missed: number }
  | { readonly failed: string };

type Step = { readonly sent?: readonly string[]; readonly events: readonly VectorEvent[] } & (
  | { readonly do: "receive"; readonly bytes: string }
  | { readonly do: "request"; readonly type: number; readonly body: string }
  | { readonly do: "wait"; readonly ms: number }
);

interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
}

const { cases } = readVectors<{ readonly cases: readonly Case[] }>("client.json");
const PUSH_TYPES: Readonly<Record<string, number>> = { "tinyqq.v1.Kicked": 0x4006 };
const kinds = new Map(Object.values(Request).map((kind) => [kind.type as number, kind]));

/** The vectors' bytes come over TCP, in pieces: makes WebSocket messages of them. */
class Cutter {
  #rest = new Uint8Array();

  feed(bytes: Uint8Array): Uint8Array[] {
    this.#rest = new Uint8Array([...this.#rest, ...bytes]);
    const found: Uint8Array[] = [];
    while (this.#rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + new DataView(this.#rest.buffer).getUint32(0);
      if (this.#rest.length < end) break;
      found.push(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end);
    }
    return found;
  }
}

function told(event: SessionEvent): VectorEvent {
  switch (event.is) {
    case "reply": {
      const { requestId, outcome } = event;
      if (!(outcome instanceof ChatError)) return { reply: requestId };
      const { codeName, retryAfterMs } = outcome;
      return { error: requestId, code: codeName, retry_after_ms: retryAfterMs };
    }
    case "push":
      return { push: PUSH_TYPES[event.push.$typeName] ?? -1 };
    case "missed":
      return { missed: event.count };
    case "failed":
      return { failed: event.error.codeName };
  }
}

describe("ClientSession", () => {
  it.each(cases)("does as the vectors say: $name", (one) => {
    let nowMs = 0;
    const session = new ClientSession({ agent: "client/1", language: "", nowMs });
    const cutter = new Cutter();
    session.takeOutput();
    for (const [index, step] of one.steps.entries()) {
      const events: SessionEvent[] = [];
      if (step.do === "receive") {
        for (const message of cutter.feed(fromHex(step.bytes))) {
          events.push(...session.receive(message, nowMs));
        }
      } else if (step.do === "request") {
        const kind = kinds.get(step.type);
        if (kind === undefined) throw new Error(`unknown request ${step.type}`);
        session.requestBody(kind, fromHex(step.body));
      } else {
        nowMs += step.ms;
        events.push(...session.checkTime(nowMs));
      }
      const where = `step ${index + 1}`;
      expect(events.map(told), where).toEqual(step.events);
      expect(session.takeOutput().map(toHex), where).toEqual(step.sent ?? []);
    }
  });
});
