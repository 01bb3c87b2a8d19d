/**
 * The client's end of one connection, as a state machine: requests out, replies and pushes in.
 *
 * Pure: WebSocket messages go in by {@link ClientSession.receive}, events come out; messages to be
 * written are collected by {@link ClientSession.takeOutput}. Time enters as an argument, in ms.
 */

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import { ChatError, ErrorCode } from "../errors";
import type { Pulse, Welcome } from "./_pb/tinyqq/_pb/client_pb";
import { decodeFrame, encodeFrame, type Frame } from "./framing";
import {
  ERROR,
  PROTOCOL_VERSION,
  PUSH_BIT,
  REPLY_BIT,
  Request,
  decodeBody,
  decodeError,
  decodePush,
  encodeBody,
  type Pushed,
  type RequestKind,
} from "./packets";

export type Reply = MessageShape<DescMessage>;

export type SessionEvent =
  | { readonly is: "reply"; readonly requestId: number; readonly outcome: Reply | ChatError }
  | { readonly is: "push"; readonly push: Pushed }
  /** The server counted more pushes than arrived: sync everything. */
  | { readonly is: "missed"; readonly count: number }
  /** The connection is over: the server's last word, or a rule that the server broke. */
  | { readonly is: "failed"; readonly error: ChatError };

export interface SessionOptions {
  readonly agent: string;
  readonly language: string;
  readonly nowMs: number;
  readonly maxFrameBytes?: number;
}

const MIN_HEARTBEAT_MS = 1_000;
/** How long a heartbeat may stay without any sign of the server. */
const ANSWER_MS = 2_000;
const MAX_REQUEST_ID = 0xffffffff;
const CAPABILITIES = ["pull-mode", "resume"];

interface Pending {
  readonly type: number;
  readonly reply: DescMessage;
}

/** One connection to a server, from Hello (request id 1) on. */
export class ClientSession {
  welcome: Welcome | undefined;
  isClosed = false;
  #pushes = 0;
  #heardMs: number;
  #beatMs: number;
  #lastRequestId = 0;
  #output: Uint8Array<ArrayBuffer>[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #maxFrameBytes: number;

  constructor(options: SessionOptions) {
    this.#heardMs = options.nowMs;
    this.#beatMs = options.nowMs;
    this.#maxFrameBytes = options.maxFrameBytes ?? 16 * 1024 * 1024;
    this.request(Request.HELLO, {
      versionMin: PROTOCOL_VERSION,
      versionMax: PROTOCOL_VERSION,
      capabilities: CAPABILITIES,
      agent: options.agent,
      language: options.language,
    });
  }

  /** Requests without an answer yet. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Put a request into the output; its reply is known by the id that is returned. */
  request<Q extends DescMessage>(
    kind: RequestKind<Q, DescMessage>,
    init: MessageInitShape<Q>,
  ): number {
    return this.requestBody(kind, encodeBody(kind.request, init));
  }

  /** As {@link request}, with a body that is encoded already. */
  requestBody(kind: RequestKind<DescMessage, DescMessage>, body: Uint8Array): number {
    const requestId = this.#nextRequestId();
    this.#pending.set(requestId, { type: kind.type, reply: kind.reply });
    this.#output.push(encodeFrame(kind.type, requestId, body));
    return requestId;
  }

  /** Put a one-way request (MARK, TYPING) into the output. */
  notify<Q extends DescMessage>(
    kind: RequestKind<Q, DescMessage>,
    init: MessageInitShape<Q>,
  ): void {
    this.#output.push(encodeFrame(kind.type, 0, encodeBody(kind.request, init)));
  }

  /** The messages to write. */
  takeOutput(): Uint8Array<ArrayBuffer>[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  /** What a WebSocket message says; nothing after "failed". */
  receive(message: Uint8Array, nowMs: number): SessionEvent[] {
    if (this.isClosed) return [];
    this.#heardMs = nowMs;
    try {
      return this.#event(decodeFrame(message, this.#maxFrameBytes));
    } catch (error) {
      if (error instanceof ChatError) return this.#fail(error);
      throw error;
    }
  }

  /** Send a heartbeat when it is time; fail when the server has been silent for too long. */
  checkTime(nowMs: number): SessionEvent[] {
    if (this.isClosed || this.welcome === undefined) return [];
    const intervalMs = Math.max(this.welcome.idleTimeoutMs / 3, MIN_HEARTBEAT_MS);
    const passedMs = nowMs - this.#beatMs;
    // Counted from the last heartbeat and not from what was heard last: after a machine has slept,
    // the server first gets a chance to answer.
    if (this.#beatMs > this.#heardMs && passedMs >= Math.min(ANSWER_MS, intervalMs)) {
      return this.#fail(new ChatError(ErrorCode.IDLE_TIMEOUT));
    }
    if (passedMs >= intervalMs) this.probe(nowMs);
    return [];
  }

  /** Send a heartbeat now, unless one waits for its answer. */
  probe(nowMs: number): void {
    if (this.isClosed || this.welcome === undefined || this.#beatMs > this.#heardMs) return;
    this.#beatMs = nowMs;
    this.request(Request.HEARTBEAT, {});
  }

  #nextRequestId(): number {
    do {
      this.#lastRequestId = (this.#lastRequestId % MAX_REQUEST_ID) + 1;
    } while (this.#pending.has(this.#lastRequestId));
    return this.#lastRequestId;
  }

  #event({ type, requestId, body }: Frame): SessionEvent[] {
    if (type === ERROR) return this.#error(requestId, decodeError(body));
    if (type & REPLY_BIT) return this.#reply(type & ~REPLY_BIT, requestId, body);
    if (!(type & PUSH_BIT)) throw new ChatError(ErrorCode.UNKNOWN_TYPE, { type: String(type) });
    this.#pushes += 1;
    const push = decodePush(type, body);
    return push === undefined ? [] : [{ is: "push", push }];
  }

  #error(requestId: number, error: ChatError): SessionEvent[] {
    if (requestId === 0) return this.#fail(error);
    if (!this.#pending.delete(requestId)) throw new ChatError(ErrorCode.BAD_REQUEST_ID);
    return [{ is: "reply", requestId, outcome: error }];
  }

  #reply(type: number, requestId: number, body: Uint8Array): SessionEvent[] {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    if (pending?.type !== type) throw new ChatError(ErrorCode.BAD_REQUEST_ID);
    const outcome = decodeBody(pending.reply, body);
    if (type === Request.HELLO.type) this.welcome = outcome as Welcome;
    if (type === Request.HEARTBEAT.type) return this.#pulse(outcome as Pulse);
    return [{ is: "reply", requestId, outcome }];
  }

  #pulse(pulse: Pulse): SessionEvent[] {
    // A connection keeps order, so every push counted in the pulse was written before it.
    const count = Number(pulse.pushes) - this.#pushes;
    this.#pushes = Number(pulse.pushes);
    return count > 0 ? [{ is: "missed", count }] : [];
  }

  #fail(error: ChatError): SessionEvent[] {
    if (this.isClosed) return [];
    this.isClosed = true;
    return [{ is: "failed", error }];
  }
}
