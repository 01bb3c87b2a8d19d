/** One WebSocket: requests and their answers, pushes, heartbeats. The protocol is ClientSession. */

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import { ChatError, ErrorCode } from "./errors";
import { Bell } from "./pause";
import { ClientSession, type Reply, type SessionEvent } from "./wire/client_session";
import { encodeBody, type Pushed, type RequestKind } from "./wire/packets";

/** Called once with the reply, or with the error that took its place. */
export type Answer = (outcome: Reply | ChatError) => void;

export interface ConnectionOptions {
  readonly agent: string;
  readonly language: string;
  /** Called for every push, in order, and told on which connection. */
  readonly onPush: (push: Pushed, connection: Connection) => void;
  /** The server counted more pushes than arrived. */
  readonly onMissed: () => void;
  readonly openTimeoutMs?: number;
}

/** How often the session looks whether a heartbeat is due. */
const TICK_MS = 1_000;
const OPEN_TIMEOUT_MS = 10_000;
const HELLO_ID = 1;

/** The client's end of one connection, from Hello to the end. */
export class Connection {
  /** Resolves when it is over, with why: the server's last word, or CONNECTION_LOST. */
  readonly closed: Promise<ChatError>;
  /** Called when an answer has come, so that another request may go. */
  onRoom: () => void = () => undefined;
  /** Where it goes. */
  readonly url: string;

  readonly #socket: WebSocket;
  readonly #session: ClientSession;
  readonly #options: ConnectionOptions;
  readonly #answers = new Map<number, Answer>();
  readonly #timer: ReturnType<typeof setInterval>;
  /** Rings when another request may go. */
  readonly #room = new Bell();
  #isClosed = false;
  #finish: (error: ChatError) => void = () => undefined;

  private constructor(url: string, socket: WebSocket, options: ConnectionOptions) {
    this.url = url;
    this.#socket = socket;
    this.#options = options;
    const { agent, language } = options;
    this.#session = new ClientSession({ agent, language, nowMs: performance.now() });
    this.closed = new Promise((resolve) => (this.#finish = resolve));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#flush();
    socket.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
    socket.onclose = () => this.#end(lost());
    socket.onerror = () => this.#end(lost());
  }

  /**
   * Connect and say hello.
   *
   * @throws ChatError what the server answered, or CONNECTION_LOST.
   */
  static async open(url: string, options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(url, makeSocket(url), options);
    try {
      await connection.#answerTo(HELLO_ID, options.openTimeoutMs ?? OPEN_TIMEOUT_MS);
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  // ---- requests --------------------------------------------------------------------------------

  /**
   * Ask and wait for the answer.
   *
   * @throws ChatError what the server answered; TIMED_OUT, CONNECTION_LOST.
   */
  async request<Q extends DescMessage, A extends DescMessage>(
    kind: RequestKind<Q, A>,
    init: MessageInitShape<Q>,
    timeoutMs: number,
  ): Promise<MessageShape<A>> {
    const body = encodeBody(kind.request, init);
    const untilMs = performance.now() + timeoutMs;
    while (!this.#isClosed && this.inFlight >= this.maxInFlight) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw new ChatError(ErrorCode.TIMED_OUT);
      await this.#room.wait(leftMs);
    }
    if (this.#isClosed) throw lost();
    const requestId = this.#session.requestBody(kind, body);
    const answer = this.#answerTo(requestId, untilMs - performance.now());
    this.#flush();
    // The session has decoded it as the reply of this kind.
    return (await answer) as MessageShape<A>;
  }

  /** Put a request on the connection; look at {@link inFlight} before. */
  send(kind: RequestKind<DescMessage, DescMessage>, body: Uint8Array, answer: Answer): void {
    if (this.#isClosed) {
      answer(lost());
      return;
    }
    this.#answers.set(this.#session.requestBody(kind, body), answer);
    this.#flush();
  }

  /** Put a one-way request on the connection; nothing happens when it is closed. */
  notify<Q extends DescMessage>(
    kind: RequestKind<Q, DescMessage>,
    init: MessageInitShape<Q>,
  ): void {
    if (this.#isClosed) return;
    this.#session.notify(kind, init);
    this.#flush();
  }

  get inFlight(): number {
    return this.#session.inFlight;
  }

  /** How many unanswered requests the server allows. */
  get maxInFlight(): number {
    return this.#session.welcome?.maxInFlight ?? 1;
  }

  get unitId(): string {
    return this.#session.welcome?.unitId ?? "";
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Find out now whether the server is there. */
  probe(): void {
    this.#session.probe(performance.now());
    this.#flush();
  }

  /** Close from this side. Idempotent. */
  close(): void {
    this.#end(lost());
  }

  // ---- inside ----------------------------------------------------------------------------------

  #answerTo(requestId: number, timeoutMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new ChatError(ErrorCode.TIMED_OUT)), timeoutMs);
      this.#answers.set(requestId, (outcome) => {
        clearTimeout(timer);
        if (outcome instanceof ChatError) reject(outcome);
        else resolve(outcome);
      });
    });
  }

  #receive(data: unknown): void {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array();
    this.#handle(this.#session.receive(bytes, performance.now()));
  }

  #tick(): void {
    this.#handle(this.#session.checkTime(performance.now()));
    this.#flush();
  }

  #handle(events: readonly SessionEvent[]): void {
    for (const event of events) {
      if (event.is === "reply") this.#answer(event.requestId, event.outcome);
      else if (event.is === "push") this.#options.onPush(event.push, this);
      else if (event.is === "missed") this.#options.onMissed();
      else this.#end(event.error);
    }
    if (events.length > 0) this.#makeRoom();
  }

  #answer(requestId: number, outcome: Reply | ChatError): void {
    const answer = this.#answers.get(requestId);
    this.#answers.delete(requestId);
    answer?.(outcome);
  }

  #makeRoom(): void {
    if (this.#isClosed || this.inFlight < this.maxInFlight) this.#room.ring();
    if (!this.#isClosed) this.onRoom();
  }

  #flush(): void {
    if (this.#isClosed || this.#socket.readyState !== WebSocket.OPEN) return;
    for (const message of this.#session.takeOutput()) this.#socket.send(message);
  }

  #end(error: ChatError): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#socket.close();
    this.#finish(error);
    const answers = [...this.#answers.values()];
    this.#answers.clear();
    for (const answer of answers) answer(error);
    this.#makeRoom();
  }
}

function makeSocket(url: string): WebSocket {
  try {
    return new WebSocket(url);
  } catch {
    // Not a URL, or one that this page may not open (ws from https).
    throw lost();
  }
}

function lost(): ChatError {
  return new ChatError(ErrorCode.CONNECTION_LOST);
}
