/**
 * What was sent and is not yet acknowledged: order, repeats and flights. Pure.
 *
 * A message leaves the outbox when its answer is there, never before: it is put on every new
 * connection again, under the same id, so that the server can tell a repeat.
 *
 * Flights keep a sender's order through a refusal in the middle. Sends of a conversation carry its
 * flight number; when one is refused for now, the server refuses the later ones of that flight too,
 * and all that are unacknowledged go out again, in order, in the next flight.
 */

import { ChatError, ErrorCode } from "./errors";
import type { ConversationId } from "./ids";

const MAX_MESSAGES = 1_000;

/** A message on its way up. `clientMessageId`: 32 hex digits. */
export interface Outgoing {
  readonly conversationId: ConversationId;
  readonly clientMessageId: string;
  readonly kind: number;
  readonly body: Uint8Array;
}

/** A message to put on the connection now, and its flight. */
export interface Departure {
  readonly outgoing: Outgoing;
  readonly flight: number;
}

interface Lane {
  flight: number;
  readonly unacknowledged: Map<string, Outgoing>;
  due: Outgoing[];
  isPaused: boolean;
}

/** Unacknowledged sends of one client. */
export class Outbox {
  readonly #maxMessages: number;
  readonly #lanes = new Map<ConversationId, Lane>();
  readonly #where = new Map<string, ConversationId>();
  readonly #ready = new Set<ConversationId>();

  /** @param leftOver what an earlier visit had not seen acknowledged, in order. */
  constructor(leftOver: Iterable<Outgoing> = [], maxMessages = MAX_MESSAGES) {
    this.#maxMessages = maxMessages;
    for (const outgoing of leftOver) this.#append(outgoing);
  }

  get size(): number {
    return this.#where.size;
  }

  has(clientMessageId: string): boolean {
    return this.#where.has(clientMessageId);
  }

  /** Take a new message.
   *
   * @throws ChatError BUSY when the outbox is full. */
  add(outgoing: Outgoing): void {
    if (this.#where.size >= this.#maxMessages) {
      throw new ChatError(ErrorCode.BUSY, { messages: String(this.#where.size) });
    }
    this.#append(outgoing);
  }

  /** The next message to put on the connection; conversations take turns. */
  next(): Departure | undefined {
    for (const conversationId of this.#ready) {
      this.#ready.delete(conversationId);
      const lane = this.#lane(conversationId);
      for (let outgoing = lane.due.shift(); outgoing; outgoing = lane.due.shift()) {
        if (!lane.unacknowledged.has(outgoing.clientMessageId)) continue;
        if (lane.due.length > 0) this.#ready.add(conversationId);
        return { outgoing, flight: lane.flight };
      }
    }
    return undefined;
  }

  /** It is in the log (or was refused for good): take it out. Undefined: it is not here. */
  acknowledge(clientMessageId: string): Outgoing | undefined {
    const conversationId = this.#where.get(clientMessageId);
    if (conversationId === undefined) return undefined;
    this.#where.delete(clientMessageId);
    const { unacknowledged } = this.#lane(conversationId);
    const outgoing = unacknowledged.get(clientMessageId);
    unacknowledged.delete(clientMessageId);
    return outgoing;
  }

  /** A send of *flight* was refused for now.
   *
   * True for the first of a flight: its conversation is paused until {@link goOn}, then everything
   * unacknowledged goes out in the next flight. Later refusals of the same flight say nothing new. */
  refuseForNow(clientMessageId: string, flight: number): boolean {
    const conversationId = this.#where.get(clientMessageId);
    if (conversationId === undefined) return false;
    const lane = this.#lane(conversationId);
    if (flight !== lane.flight) return false;
    lane.flight += 1;
    lane.isPaused = true;
    this.#ready.delete(conversationId);
    return true;
  }

  /** The pause is over. */
  goOn(conversationId: ConversationId): void {
    const lane = this.#lane(conversationId);
    if (lane.isPaused) this.#repeat(conversationId, lane);
  }

  /** There is a new connection: everything unacknowledged goes out again. */
  startOver(): void {
    for (const [conversationId, lane] of this.#lanes) this.#repeat(conversationId, lane);
  }

  #repeat(conversationId: ConversationId, lane: Lane): void {
    lane.isPaused = false;
    lane.due = [...lane.unacknowledged.values()];
    if (lane.due.length > 0) this.#ready.add(conversationId);
  }

  #append(outgoing: Outgoing): void {
    const lane = this.#lane(outgoing.conversationId);
    lane.unacknowledged.set(outgoing.clientMessageId, outgoing);
    this.#where.set(outgoing.clientMessageId, outgoing.conversationId);
    if (lane.isPaused) return;
    lane.due.push(outgoing);
    this.#ready.add(outgoing.conversationId);
  }

  #lane(conversationId: ConversationId): Lane {
    let lane = this.#lanes.get(conversationId);
    if (lane === undefined) {
      lane = { flight: 1, unacknowledged: new Map(), due: [], isPaused: false };
      this.#lanes.set(conversationId, lane);
    }
    return lane;
  }
}
