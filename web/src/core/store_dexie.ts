/** The store in IndexedDB, one database per account. Fetched when it is needed. */

import Dexie, { type EntityTable, type Table } from "dexie";

import type { ConversationRow } from "./conversations";
import type { Batch, OutgoingRow, Saved, Store, Stretch } from "./store";
import type { LogEntry } from "./wire/entry";

/** A long list is written in pieces: the page does other things between them. */
const ROWS_AT_ONCE = 100;

interface Kept {
  readonly name: string;
  readonly value: unknown;
}

class Database extends Dexie {
  declare readonly conversations: EntityTable<ConversationRow, "conversationId">;
  declare readonly entries: Table<LogEntry, [string, number]>;
  declare readonly outgoing: EntityTable<OutgoingRow, "clientMessageId">;
  declare readonly kept: EntityTable<Kept, "name">;

  constructor(name: string) {
    super(name);
    this.version(1).stores({
      conversations: "conversationId",
      entries: "[conversationId+seq]",
      outgoing: "clientMessageId, place",
      kept: "name",
    });
  }
}

/** What IndexedDB throws comes through: the log goes on without it. */
export class DexieStore implements Store {
  readonly #database: Database;

  constructor(name: string) {
    this.#database = new Database(name);
  }

  async load(): Promise<Saved> {
    const [conversations, outgoing] = await Promise.all([
      this.#database.conversations.toArray(),
      this.#database.outgoing.orderBy("place").toArray(),
    ]);
    return { conversations, outgoing };
  }

  async save({ conversations, entries }: Batch): Promise<void> {
    const database = this.#database;
    if (entries.length === 0) {
      for (let at = 0; at < conversations.length; at += ROWS_AT_ONCE) {
        await database.conversations.bulkPut(conversations.slice(at, at + ROWS_AT_ONCE));
      }
      return;
    }
    // One transaction: a position must not be kept without the entries before it.
    await database.transaction("rw", [database.conversations, database.entries], async () => {
      await database.entries.bulkPut([...entries]);
      await database.conversations.bulkPut([...conversations]);
    });
  }

  async entries({ conversationId, from, to, limit, end }: Stretch): Promise<LogEntry[]> {
    const stretch = this.#database.entries
      .where("[conversationId+seq]")
      .between([conversationId, from], [conversationId, to], true, true);
    if (end === "oldest") return stretch.limit(limit).toArray();
    return (await stretch.reverse().limit(limit).toArray()).reverse();
  }

  async entry(conversationId: string, seq: number): Promise<LogEntry | undefined> {
    return this.#database.entries.get([conversationId, seq]);
  }

  async forget(conversationId: string, { row }: { readonly row: boolean }): Promise<void> {
    await this.#database.entries
      .where("[conversationId+seq]")
      .between([conversationId, Dexie.minKey], [conversationId, Dexie.maxKey])
      .delete();
    if (row) await this.#database.conversations.delete(conversationId);
  }

  async putOutgoing(row: OutgoingRow): Promise<void> {
    await this.#database.outgoing.put(row);
  }

  async dropOutgoing(clientMessageId: string): Promise<void> {
    await this.#database.outgoing.delete(clientMessageId);
  }

  async keep(name: string, value: unknown): Promise<void> {
    await this.#database.kept.put({ name, value });
  }

  async kept(name: string): Promise<unknown> {
    return (await this.#database.kept.get(name))?.value;
  }

  async destroy(): Promise<void> {
    await this.#database.delete();
  }

  close(): void {
    this.#database.close();
  }
}
