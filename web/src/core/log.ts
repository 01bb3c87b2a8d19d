/**
 * The conversations and entries of one account: in memory what the list needs, in the store what
 * was read. Writes are gathered and put into the store together; reads see them.
 */

import { newRow, withRecall, type ConversationRow } from "./conversations";
import { erased } from "./inbox";
import { Kind } from "./model/entries";
import type { Outgoing } from "./outbox";
import { withSpan } from "./spans";
import { MemoryStore, type OutgoingRow, type Store, type Stretch } from "./store";
import { noticeOf, type LogEntry } from "./wire/entry";

const WRITE_DELAY_MS = 50;
/** What the server said is written when those who wait for it have seen it. */
const LEARN_DELAY_MS = 1_000;

/** One per log-in; {@link Log.open} first, {@link Log.close} or {@link Log.destroy} last. Never fails: without
 * its store it goes on in memory. */
export class Log {
  #store: Store;
  readonly #rows = new Map<string, ConversationRow>();
  readonly #outgoing = new Map<string, OutgoingRow>();
  readonly #dirty = new Set<string>();
  readonly #unkept = new Map<string, unknown>();
  #unwritten: LogEntry[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = Infinity;
  #writing: Promise<void> = Promise.resolve();
  /** The last write that has entries in it. */
  #writingEntries = this.#writing;

  constructor(
    store: Store,
    /** Called with every row that has changed. */
    private readonly onChange: (row: ConversationRow) => void,
  ) {
    this.#store = store;
  }

  /** Read what the last visit left. */
  async open(): Promise<void> {
    const saved = await this.#try((store) => store.load());
    for (const row of saved.conversations) this.#rows.set(row.conversationId, row);
    for (const row of saved.outgoing) this.#outgoing.set(row.clientMessageId, row);
  }

  /** Write what is left, and let go of the store. */
  async close(): Promise<void> {
    await this.flush();
    this.#leaveStore().close();
  }

  /** Forget everything. */
  async destroy(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#leaveStore().destroy().catch(() => undefined);
  }

  /** What is still on its way to the log goes nowhere: a database that is written to is there again. */
  #leaveStore(): Store {
    const store = this.#store;
    this.#store = new MemoryStore();
    return store;
  }

  // ---- conversations ---------------------------------------------------------------------------

  get rows(): IterableIterator<ConversationRow> {
    return this.#rows.values();
  }

  row(conversationId: string): ConversationRow | undefined {
    return this.#rows.get(conversationId);
  }

  /** Change what is known of a conversation; one that is not known begins at 0. */
  change(conversationId: string, change: (row: ConversationRow) => ConversationRow): void {
    this.#change(conversationId, change, WRITE_DELAY_MS);
  }

  /** The same by the server's word, which it would repeat: it is written at leisure. */
  learn(conversationId: string, change: (row: ConversationRow) => ConversationRow): void {
    this.#change(conversationId, change, LEARN_DELAY_MS);
  }

  #change(
    conversationId: string,
    change: (row: ConversationRow) => ConversationRow,
    delayMs: number,
  ): void {
    const before = this.#rows.get(conversationId) ?? newRow({ conversationId, seq: 0 });
    const after = change(before);
    if (after === this.#rows.get(conversationId)) return;
    this.#rows.set(conversationId, after);
    this.#dirty.add(conversationId);
    this.#writeWithin(delayMs);
    this.onChange(after);
  }

  /** Forget its entries, or all of it. */
  async forget(conversationId: string, { row }: { readonly row: boolean }): Promise<void> {
    this.#unwritten = this.#unwritten.filter((one) => one.conversationId !== conversationId);
    if (row) {
      this.#rows.delete(conversationId);
      this.#dirty.delete(conversationId);
    } else {
      this.change(conversationId, (one) => ({ ...one, spans: [] }));
    }
    await this.#writing;
    await this.#try((store) => store.forget(conversationId, { row }));
  }

  // ---- entries ---------------------------------------------------------------------------------

  /** Put entries into the store that are everything there is from *from* to *to*. */
  put(conversationId: string, entries: Iterable<LogEntry>, from: number, to: number): void {
    for (const entry of entries) {
      if (entry.kind !== Kind.HIDDEN) this.#unwritten.push(entry);
    }
    this.change(conversationId, (row) => {
      const spans = withSpan(row.spans, from, to);
      return spans === row.spans ? row : { ...row, spans };
    });
    this.#writeWithin(WRITE_DELAY_MS);
  }

  /** Erase what a recall is about; the entry as it was, if it is in the store. */
  async recall(recall: LogEntry): Promise<LogEntry | undefined> {
    const { targetSeq } = noticeOf(recall);
    const { conversationId } = recall;
    this.change(conversationId, (row) => withRecall(row, targetSeq));
    const target = await this.entry(conversationId, targetSeq);
    if (target === undefined || target.kind === Kind.RECALLED) return undefined;
    this.#unwritten.push(erased(target));
    this.#writeWithin(WRITE_DELAY_MS);
    return target;
  }

  async entry(conversationId: string, seq: number): Promise<LogEntry | undefined> {
    await this.#flushEntries();
    return this.#try((store) => store.entry(conversationId, seq));
  }

  async entries(stretch: Stretch): Promise<LogEntry[]> {
    await this.#flushEntries();
    return this.#try((store) => store.entries(stretch));
  }

  // ---- the outbox ------------------------------------------------------------------------------

  /** Of one conversation, or of all, by place. */
  outgoing(conversationId?: string): OutgoingRow[] {
    const all = [...this.#outgoing.values()];
    return conversationId === undefined
      ? all
      : all.filter((row) => row.conversationId === conversationId);
  }

  outgoingRow(clientMessageId: string): OutgoingRow | undefined {
    return this.#outgoing.get(clientMessageId);
  }

  /** Keep a message until it is acknowledged; resolves when it is in the store. */
  async putOutgoing(outgoing: Outgoing & Pick<OutgoingRow, "createdAtMs" | "file" | "after" | "refusal">): Promise<void> {
    const known = this.#outgoing.get(outgoing.clientMessageId);
    const place = known?.place ?? this.#nextPlace();
    const row: OutgoingRow = { ...outgoing, place };
    this.#outgoing.set(row.clientMessageId, row);
    await this.#try((store) => store.putOutgoing(row));
  }

  async dropOutgoing(clientMessageId: string): Promise<void> {
    if (!this.#outgoing.delete(clientMessageId)) return;
    await this.#try((store) => store.dropOutgoing(clientMessageId));
  }

  #nextPlace(): number {
    let place = 0;
    for (const row of this.#outgoing.values()) place = Math.max(place, row.place);
    return place + 1;
  }

  // ---- small things ----------------------------------------------------------------------------

  /** Keep something small under a name, for the next visit. */
  async keep(name: string, value: unknown): Promise<void> {
    await this.#try((store) => store.keep(name, value));
  }

  /** The same with what the server said: at leisure, as {@link learn}. */
  keepLearnt(name: string, value: unknown): void {
    this.#unkept.set(name, value);
    this.#writeWithin(LEARN_DELAY_MS);
  }

  async kept(name: string): Promise<unknown> {
    return this.#unkept.get(name) ?? this.#try((store) => store.kept(name));
  }

  // ---- writing ---------------------------------------------------------------------------------

  /** Put everything into the store now. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueMs = Infinity;
    for (const [name, value] of this.#unkept) {
      this.#unkept.delete(name);
      this.#writing = this.#writing.then(() => this.keep(name, value));
    }
    if (this.#dirty.size > 0 || this.#unwritten.length > 0) {
      const conversations = [...this.#dirty].flatMap((id) => this.#rows.get(id) ?? []);
      const entries = this.#unwritten;
      this.#dirty.clear();
      this.#unwritten = [];
      this.#writing = this.#writing.then(() =>
        this.#try((store) => store.save({ conversations, entries })),
      );
      if (entries.length > 0) this.#writingEntries = this.#writing;
    }
    await this.#writing;
  }

  /** Whoever reads entries need not wait until a long list of conversations is written. */
  async #flushEntries(): Promise<void> {
    if (this.#unwritten.length > 0) await this.flush();
    else await this.#writingEntries;
  }

  #writeWithin(ms: number): void {
    const dueMs = performance.now() + ms;
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), ms);
  }

  /** Browsers take IndexedDB away when they like: then go on in memory, for this visit. */
  async #try<Result>(use: (store: Store) => Promise<Result>): Promise<Result> {
    const store = this.#store;
    try {
      return await use(store);
    } catch (error) {
      if (store instanceof MemoryStore) throw error;
      if (store === this.#store) {
        console.warn("storage failed, going on in memory", error);
        this.#store = new MemoryStore();
        for (const row of this.#rows.values()) this.#rows.set(row.conversationId, { ...row, spans: [] });
        await this.#store.save({ conversations: [...this.#rows.values()], entries: [] });
        for (const row of this.#outgoing.values()) await this.#store.putOutgoing(row);
      }
      return use(this.#store);
    }
  }
}
