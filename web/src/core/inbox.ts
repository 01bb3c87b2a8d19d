/**
 * What has arrived, put in order: every entry is handed out once, gaps are named.
 *
 * Pure: no I/O, no time, no randomness. Pushes, pages of sync, entries of history and the answers to
 * one's own sends all go through {@link Inbox.apply}. The same rules as the Python client's;
 * tests/conformance/vectors/inbox.json holds them as data.
 *
 * Per conversation three numbers are kept:
 *
 *     position   everything up to here was handed out (unknown until the conversation is started)
 *     head       the highest seq that is known to exist
 *     asked      where an outstanding sync began, and what the head was then
 *
 * An entry at position + 1 is handed out, and what was held back behind it. One further on is held
 * back. One at or before position is a repeat and dropped. While head is beyond position and nothing
 * is asked, {@link Inbox.nextSync} names the conversation.
 */

import type { ConversationId } from "./ids";
import { Kind } from "./model/entries";
import { noticeOf, type LogEntry } from "./wire/entry";

/** Entries held back at once, in all conversations together. */
const MAX_HELD = 4_096;

export interface Position {
  readonly conversationId: ConversationId;
  readonly seq: number;
}

interface State {
  position: number | undefined;
  head: number;
  asked: { readonly after: number; readonly head: number } | undefined;
  readonly held: Map<number, LogEntry>;
}

/** Order and exactly-once for everything that arrives at one client. */
export class Inbox {
  readonly #maxHeld: number;
  #heldCount = 0;
  #isSettled = false;
  readonly #wanted = new Set<ConversationId>();
  readonly #states = new Map<ConversationId, State>();

  /**
   * @param positions where the conversations stood when the client was last here.
   * @param maxHeld bound of the entries held back; beyond it those of the conversation that would
   *   exceed it are dropped, and the sync that they caused brings them again.
   */
  constructor(positions: Iterable<Position> = [], maxHeld = MAX_HELD) {
    this.#maxHeld = maxHeld;
    for (const { conversationId, seq } of positions) {
      this.#states.set(conversationId, newState(seq));
    }
  }

  // ---- starting --------------------------------------------------------------------------------

  /** Begin a conversation after *seq*; what was held back for it may become ready. No effect on one
   * that has a position already: what this client handed out counts. */
  start(conversationId: ConversationId, seq: number): LogEntry[] {
    const state = this.#get(conversationId);
    if (state.position !== undefined) return [];
    return this.#moveTo(conversationId, state, seq);
  }

  /** Leave out everything up to *seq*, which is read as history when it is wanted. */
  skip(conversationId: ConversationId, seq: number): LogEntry[] {
    const state = this.#get(conversationId);
    if (state.position !== undefined && seq <= state.position) return [];
    return this.#moveTo(conversationId, state, seq);
  }

  /** The overview is complete: conversations that are not in it are new and start at 0. */
  settle(): LogEntry[] {
    this.#isSettled = true;
    const ready: LogEntry[] = [];
    for (const [conversationId, state] of [...this.#states]) {
      if (state.position === undefined) ready.push(...this.start(conversationId, 0));
    }
    return ready;
  }

  // ---- what arrives ----------------------------------------------------------------------------

  /** Take an entry from wherever it came; returns what is ready now, in order.
   *
   * A HIDDEN stretch moves the position on and is itself not handed out. A RECALL is handed out like
   * any entry; its target, when it becomes ready in the same call, is erased first. */
  apply(entry: LogEntry): LogEntry[] {
    const state = this.#get(entry.conversationId);
    const isHidden = entry.kind === Kind.HIDDEN;
    const last = isHidden ? entry.throughSeq : entry.seq;
    state.head = Math.max(state.head, last);
    const ready: LogEntry[] = [];
    if (state.position === undefined || entry.seq > state.position + 1) {
      if (!isHidden) this.#hold(state, entry);
    } else if (last > state.position) {
      state.position = last;
      if (!isHidden) ready.push(entry);
      this.#drain(state, ready);
    }
    this.#note(entry.conversationId, state);
    return ready;
  }

  /** Take the answer to a sync; returns what is ready now, in order. */
  applyPage(
    conversationId: ConversationId,
    entries: Iterable<LogEntry>,
    headSeq: number,
  ): LogEntry[] {
    const state = this.#get(conversationId);
    const asked = state.asked;
    state.asked = undefined;
    state.head = Math.max(state.head, headSeq);
    const ready: LogEntry[] = [];
    for (const entry of entries) ready.push(...this.apply(entry));
    // Nothing new although nothing else happened meanwhile: asking again would go on for ever. The
    // next push or overview starts afresh.
    if (asked?.after === state.position && asked?.head === state.head) this.#giveUp(state);
    this.#note(conversationId, state);
    return ready;
  }

  /** An overview or a hint says that the conversation goes up to *headSeq*. */
  learnHead(conversationId: ConversationId, headSeq: number): void {
    const state = this.#get(conversationId);
    state.head = Math.max(state.head, headSeq);
    this.#note(conversationId, state);
  }

  // ---- gaps ------------------------------------------------------------------------------------

  /** Whether {@link nextSync} has something to name. */
  get isBehind(): boolean {
    return this.#wanted.size > 0;
  }

  /** The next conversation to be synced and the seq after which; at most one per conversation is
   * outstanding. Answer it with {@link applyPage} or {@link syncFailed}. */
  nextSync(): Position | undefined {
    for (const conversationId of this.#wanted) {
      this.#wanted.delete(conversationId);
      const state = this.#get(conversationId);
      const seq = state.position ?? 0;
      state.asked = { after: seq, head: state.head };
      return { conversationId, seq };
    }
    return undefined;
  }

  /** No page came: the conversation is wanted again, or `forGood` left where it is. */
  syncFailed(conversationId: ConversationId, { forGood }: { readonly forGood: boolean }): void {
    const state = this.#get(conversationId);
    state.asked = undefined;
    if (forGood) this.#giveUp(state);
    this.#note(conversationId, state);
  }

  // ---- what is known ---------------------------------------------------------------------------

  /** The last seq of the part that is complete; undefined: not started. */
  position(conversationId: ConversationId): number | undefined {
    return this.#states.get(conversationId)?.position;
  }

  /** All of them, as GET_OVERVIEW wants to know them. */
  positions(): Position[] {
    const found: Position[] = [];
    for (const [conversationId, { position }] of this.#states) {
      if (position !== undefined) found.push({ conversationId, seq: position });
    }
    return found;
  }

  // ---- inside ----------------------------------------------------------------------------------

  #get(conversationId: ConversationId): State {
    let state = this.#states.get(conversationId);
    if (state === undefined) {
      state = newState(this.#isSettled ? 0 : undefined);
      this.#states.set(conversationId, state);
    }
    return state;
  }

  #note(conversationId: ConversationId, state: State): void {
    const { position, asked, head } = state;
    if (position !== undefined && asked === undefined && head > position) {
      this.#wanted.add(conversationId);
    } else {
      this.#wanted.delete(conversationId);
    }
  }

  #moveTo(conversationId: ConversationId, state: State, seq: number): LogEntry[] {
    state.position = seq;
    const ready: LogEntry[] = [];
    this.#drain(state, ready);
    this.#note(conversationId, state);
    return ready;
  }

  #hold(state: State, entry: LogEntry): void {
    if (state.held.has(entry.seq)) return;
    if (this.#heldCount >= this.#maxHeld) {
      this.#heldCount -= state.held.size;
      state.held.clear();
      return;
    }
    state.held.set(entry.seq, entry);
    this.#heldCount += 1;
  }

  #drop(state: State, seq: number): void {
    state.held.delete(seq);
    this.#heldCount -= 1;
  }

  /** Add what was held back and follows; forget what has been overtaken. */
  #drain(state: State, ready: LogEntry[]): void {
    if (state.held.size === 0) return;
    let position = state.position ?? 0;
    for (const seq of [...state.held.keys()]) {
      if (seq <= position) this.#drop(state, seq);
    }
    for (;;) {
      const entry = state.held.get(position + 1);
      if (entry === undefined) break;
      position += 1;
      this.#drop(state, position);
      ready.push(entry);
      if (entry.kind === Kind.RECALL) eraseTarget(entry, ready);
    }
    state.position = position;
  }

  #giveUp(state: State): void {
    this.#heldCount -= state.held.size;
    state.held.clear();
    state.head = state.position ?? 0;
  }
}

function newState(position: number | undefined): State {
  return { position, head: 0, asked: undefined, held: new Map() };
}

/** What is left of a message that was taken back. */
export function erased(entry: LogEntry): LogEntry {
  return { ...entry, kind: Kind.RECALLED, body: new Uint8Array() };
}

function eraseTarget(recall: LogEntry, ready: LogEntry[]): void {
  const { targetSeq } = noticeOf(recall);
  const index = ready.findIndex((entry) => entry.seq === targetSeq);
  const target = ready[index];
  if (target !== undefined) ready[index] = erased(target);
}
