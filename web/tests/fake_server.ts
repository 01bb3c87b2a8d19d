/** A server behind a fake WebSocket: answers as the test says, in the protocol's own bytes. */

import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";

import type { ChatError } from "../src/core/errors";
import { ErrorSchema } from "../src/core/wire/_pb/tinyqq/_pb/client_pb";
import { decodeFrame, encodeFrame } from "../src/core/wire/framing";
import { ERROR, REPLY_BIT, Request, encodeBody, type RequestKind } from "../src/core/wire/packets";

type Handler = (body: Uint8Array, socket: FakeSocket) => Uint8Array | ChatError | undefined;

const MAX_BYTES = 1 << 24;

/** What `WebSocket` is while a {@link FakeServer} is there. */
export class FakeSocket {
  static readonly OPEN = 1;
  binaryType = "";
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    FakeServer.current?.connected(this);
  }

  send(message: Uint8Array): void {
    FakeServer.current?.received(this, message);
  }

  close(): void {
    this.drop();
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }

  /** A message from the server. */
  deliver(type: number, requestId: number, body: Uint8Array): void {
    const { buffer } = encodeFrame(type, requestId, body);
    if (this.readyState === FakeSocket.OPEN) this.onmessage?.({ data: buffer });
  }

  push<M extends DescMessage>(type: number, schema: M, init: MessageInitShape<M>): void {
    this.deliver(type, 0, encodeBody(schema, init));
  }

  /** The connection is lost. */
  drop(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.();
  }
}

/** Answers HELLO by itself; everything else as {@link answer} has said, else never. */
export class FakeServer {
  static current: FakeServer | undefined;
  readonly sockets: FakeSocket[] = [];
  /** The types of the requests that came, HELLO left out. */
  readonly asked: number[] = [];
  /** URLs of units that are not there. */
  readonly dead = new Set<string>();
  readonly #handlers = new Map<number, Handler>();

  constructor() {
    FakeServer.current = this;
    this.answer(Request.HELLO, () => ({ version: 1, unitId: "unit-1", maxInFlight: 4, idleTimeoutMs: 90_000 }));
  }

  /** Answer requests of a kind from now on; undefined: not at all. */
  answer<Q extends DescMessage, A extends DescMessage>(
    kind: RequestKind<Q, A>,
    handler: (
      request: ReturnType<typeof fromBinary<Q>>,
      socket: FakeSocket,
    ) => MessageInitShape<A> | ChatError | undefined,
  ): void {
    this.#handlers.set(kind.type, (body, socket) => {
      const outcome = handler(fromBinary(kind.request, body), socket);
      if (outcome === undefined || outcome instanceof Error) return outcome;
      return toBinary(kind.reply, create(kind.reply, outcome));
    });
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nobody has connected");
    return socket;
  }

  connected(socket: FakeSocket): void {
    this.sockets.push(socket);
    queueMicrotask(() => {
      if (this.dead.has(socket.url)) socket.drop();
      else socket.open();
    });
  }

  received(socket: FakeSocket, message: Uint8Array): void {
    const { type, requestId, body } = decodeFrame(message, MAX_BYTES);
    if (type !== Request.HELLO.type) this.asked.push(type);
    const outcome = this.#handlers.get(type)?.(body, socket);
    if (outcome === undefined || requestId === 0) return;
    queueMicrotask(() => {
      if (outcome instanceof Uint8Array) socket.deliver(type | REPLY_BIT, requestId, outcome);
      else this.refuse(socket, requestId, outcome);
    });
  }

  refuse(socket: FakeSocket, requestId: number, { code, retryAfterMs, fields }: ChatError): void {
    socket.deliver(ERROR, requestId, encodeBody(ErrorSchema, { code, retryAfterMs, fields: { ...fields } }));
  }
}
