/** Sending: the outbox on whatever connection there is. */

import { Backoff } from "./backoff";
import type { Connection } from "./connection";
import { ChatError } from "./errors";
import { Outbox, type Departure, type Outgoing } from "./outbox";
import type { Sent } from "./wire/_pb/tinyqq/_pb/client_pb";
import type { Reply } from "./wire/client_session";
import { messageIdBytes } from "./wire/entry";
import { Request, encodeBody } from "./wire/packets";

/** Of the requests that a connection may have in flight; the rest is for everything else. */
const SHARE_OF_FLIGHT = 0.75;

export interface SenderOptions {
  readonly outbox: Outbox;
  /** Gets every acknowledged message; answer it with {@link Sender.seen}. */
  readonly onSent: (outgoing: Outgoing, sent: Sent) => void;
  /** It will never be taken as it stands. */
  readonly onRefused: (outgoing: Outgoing, error: ChatError) => void;
  readonly random?: () => number;
}

/** Sends what is in the outbox, in order, until each is acknowledged or refused for good. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #outbox: Outbox;
  readonly #backoffs = new Map<string, Backoff>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #connection: Connection | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#outbox = options.outbox;
  }

  /** Take a message. @throws ChatError BUSY: the outbox is full. */
  add(outgoing: Outgoing): void {
    if (!this.#outbox.has(outgoing.clientMessageId)) this.#outbox.add(outgoing);
    this.pump();
  }

  /** There is a new connection, or none any more. */
  use(connection: Connection | undefined): void {
    this.#connection = connection;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    if (connection === undefined) return;
    connection.onRoom = () => this.pump();
    this.#outbox.startOver();
    this.pump();
  }

  /** Put on the connection what may go. */
  pump(): void {
    const connection = this.#connection;
    if (connection === undefined || connection.isClosed) return;
    const window = Math.max(1, Math.floor(connection.maxInFlight * SHARE_OF_FLIGHT));
    while (connection.inFlight < window) {
      const departure = this.#outbox.next();
      if (departure === undefined) return;
      connection.send(Request.SEND, bodyOf(departure), (outcome) =>
        this.#answered(departure, connection, outcome),
      );
    }
  }

  /** One's own entry is in the log: its answer, a push or a page says so. False: it was not here. */
  seen(clientMessageId: string): boolean {
    const outgoing = this.#outbox.acknowledge(clientMessageId);
    if (outgoing === undefined) return false;
    this.#backoffs.delete(outgoing.conversationId);
    return true;
  }

  #answered(departure: Departure, connection: Connection, outcome: Reply | ChatError): void {
    const { outgoing } = departure;
    if (!(outcome instanceof ChatError)) {
      this.#options.onSent(outgoing, outcome as Sent);
    } else if (connection !== this.#connection || connection.isClosed) {
      // Nobody knows what became of it: it goes out again on the next connection.
    } else if (outcome.isForNow) {
      this.#refusedForNow(departure, outcome);
    } else if (this.#outbox.acknowledge(outgoing.clientMessageId) !== undefined) {
      this.#options.onRefused(outgoing, outcome);
    }
  }

  #refusedForNow({ outgoing, flight }: Departure, error: ChatError): void {
    const { conversationId, clientMessageId } = outgoing;
    if (!this.#outbox.refuseForNow(clientMessageId, flight)) return;
    const backoff = this.#backoffs.get(conversationId) ?? new Backoff(this.#options.random);
    this.#backoffs.set(conversationId, backoff);
    const timer = setTimeout(() => {
      this.#timers.delete(conversationId);
      this.#outbox.goOn(conversationId);
      this.pump();
    }, backoff.nextMs(error.retryAfterMs));
    this.#timers.set(conversationId, timer);
  }
}

function bodyOf({ outgoing, flight }: Departure): Uint8Array {
  return encodeBody(Request.SEND.request, {
    conversationId: outgoing.conversationId,
    clientMessageId: messageIdBytes(outgoing.clientMessageId),
    kind: outgoing.kind,
    content: outgoing.body,
    flight,
  });
}
