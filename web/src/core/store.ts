/**
 * What a page keeps from one visit to the next, per account.
 *
 * All but the outbox is a cache: it can be thrown away at any time, and the server has it again.
 */

import type { ConversationRow } from "./conversations";
import type { Outgoing } from "./outbox";
import type { LogEntry } from "./wire/entry";

/** A message in the outbox. `place`: ascending in the order of sending. */
export interface OutgoingRow extends Outgoing {
  readonly place: number;
  readonly createdAtMs: number;
  /** What must be uploaded before it can be sent. */
  readonly file?: Blob;
  /** Keys of messages whose files must be uploaded before this one is sent. */
  readonly after?: readonly string[];
  /** Why it was refused for good; undefined: it is still to be sent. */
  readonly refusal?: { readonly code: number; readonly fields: Readonly<Record<string, string>> };
}

export interface Saved {
  readonly conversations: readonly ConversationRow[];
  /** By place. */
  readonly outgoing: readonly OutgoingRow[];
}

/** What changed, to be written in one transaction. */
export interface Batch {
  readonly conversations: readonly ConversationRow[];
  readonly entries: readonly LogEntry[];
}

/** A stretch of entries, both ends included; at most `limit` of them, from one of the ends. */
export interface Stretch {
  readonly conversationId: string;
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly end: "oldest" | "newest";
}

/** Where things are kept. A method that fails leaves the store of no more use. */
export interface Store {
  load(): Promise<Saved>;
  save(batch: Batch): Promise<void>;
  /** Ascending. */
  entries(stretch: Stretch): Promise<LogEntry[]>;
  entry(conversationId: string, seq: number): Promise<LogEntry | undefined>;
  /** Forget the entries of a conversation; with `row` the conversation itself too. */
  forget(conversationId: string, options: { readonly row: boolean }): Promise<void>;
  putOutgoing(row: OutgoingRow): Promise<void>;
  dropOutgoing(clientMessageId: string): Promise<void>;
  /** Keep something small under a name, and get it back. */
  keep(name: string, value: unknown): Promise<void>;
  kept(name: string): Promise<unknown>;
  /** Forget everything, and close. */
  destroy(): Promise<void>;
  close(): void;
}

/** A store that lasts as long as the page: where there is no IndexedDB, or none that works. */
export class MemoryStore implements Store {
  readonly #conversations = new Map<string, ConversationRow>();
  readonly #entries = new Map<string, Map<number, LogEntry>>();
  readonly #outgoing = new Map<string, OutgoingRow>();
  readonly #kept = new Map<string, unknown>();

  async load(): Promise<Saved> {
    return {
      conversations: [...this.#conversations.values()],
      outgoing: [...this.#outgoing.values()].sort((one, other) => one.place - other.place),
    };
  }

  async save({ conversations, entries }: Batch): Promise<void> {
    for (const row of conversations) this.#conversations.set(row.conversationId, row);
    for (const entry of entries) {
      let log = this.#entries.get(entry.conversationId);
      if (log === undefined) this.#entries.set(entry.conversationId, (log = new Map()));
      log.set(entry.seq, entry);
    }
  }

  async entries({ conversationId, from, to, limit, end }: Stretch): Promise<LogEntry[]> {
    const log = this.#entries.get(conversationId);
    const found = [...(log?.values() ?? [])]
      .filter((entry) => from <= entry.seq && entry.seq <= to)
      .sort((one, other) => one.seq - other.seq);
    return end === "oldest" ? found.slice(0, limit) : found.slice(-limit);
  }

  async entry(conversationId: string, seq: number): Promise<LogEntry | undefined> {
    return this.#entries.get(conversationId)?.get(seq);
  }

  async forget(conversationId: string, { row }: { readonly row: boolean }): Promise<void> {
    this.#entries.delete(conversationId);
    if (row) this.#conversations.delete(conversationId);
  }

  async putOutgoing(row: OutgoingRow): Promise<void> {
    this.#outgoing.set(row.clientMessageId, row);
  }

  async dropOutgoing(clientMessageId: string): Promise<void> {
    this.#outgoing.delete(clientMessageId);
  }

  async keep(name: string, value: unknown): Promise<void> {
    this.#kept.set(name, value);
  }

  async kept(name: string): Promise<unknown> {
    return this.#kept.get(name);
  }

  async destroy(): Promise<void> {
    this.#conversations.clear();
    this.#entries.clear();
    this.#outgoing.clear();
    this.#kept.clear();
  }

  close(): void {
    // Nothing to let go of.
  }
}
