/** The conversations of {@link DemoClient}: their logs, their lines in the list, what was said before. */

import {
  emptyConversation,
  type ChatEvents,
  type Conversation,
  type ConversationId,
  type Entry,
  type HistoryPage,
  type HistoryPlace,
  type UserId,
} from "../core/api";
import type { Emitter } from "../core/emitter";
import { makeMessage } from "./entries";
import { LINES, ME } from "./people";

export interface DemoLog {
  entries: Entry[];
  conversation: Conversation;
}

/** A conversation that has been going on for a while. */
export interface Past {
  readonly id: ConversationId;
  readonly people: readonly UserId[];
  readonly messages: number;
}

/** Every change is told as the real client tells it. */
export class DemoConversations {
  readonly #logs = new Map<ConversationId, DemoLog>();
  readonly #events: Emitter<ChatEvents>;
  readonly #nameOf: (id: ConversationId) => string;

  constructor(events: Emitter<ChatEvents>, nameOf: (id: ConversationId) => string) {
    this.#events = events;
    this.#nameOf = nameOf;
  }

  list(): readonly Conversation[] {
    return [...this.#logs.values()].map((log) => log.conversation);
  }

  find(id: ConversationId): DemoLog | undefined {
    return this.#logs.get(id);
  }

  /** Begins one that is not there yet. */
  get(id: ConversationId): DemoLog {
    let log = this.#logs.get(id);
    if (log === undefined) {
      log = { entries: [], conversation: { ...emptyConversation(id, ME), name: this.#nameOf(id) } };
      this.#logs.set(id, log);
    }
    return log;
  }

  clear(): void {
    this.#logs.clear();
  }

  read(id: ConversationId, place: HistoryPlace, limit: number): HistoryPage {
    const all = this.#logs.get(id)?.entries ?? [];
    const found = all.findIndex((one) => "seq" in place && one.seq >= place.seq);
    const index = found < 0 ? all.length : found;
    const from =
      place.at === "after" ? index + 1 : place.at === "around" ? index - limit / 2 : index - limit;
    const start = Math.max(0, Math.floor(from));
    const end = place.at === "before" ? index : Math.min(all.length, start + limit);
    return { entries: all.slice(start, end), hasOlder: start > 0, hasNewer: end < all.length };
  }

  /** Add an entry, or replace the one of its key. */
  put(log: DemoLog, entry: Entry, isFresh = false): void {
    const index = log.entries.findIndex((one) => one.key === entry.key);
    if (index >= 0) log.entries[index] = entry;
    else log.entries.push(entry);
    const headSeq = Math.max(log.conversation.headSeq, entry.seq);
    this.#events.emit("entries", { conversationId: entry.conversationId, entries: [entry], isFresh });
    this.change(log, {
      last: log.entries.at(-1),
      lastActiveAtMs: Math.max(log.conversation.lastActiveAtMs, entry.sentAtMs),
      headSeq,
      untilSeq: headSeq,
      unread: log.conversation.unread + (isFresh ? 1 : 0),
      readSeq: entry.isOwn ? headSeq : log.conversation.readSeq,
    });
  }

  remove(log: DemoLog, key: string): void {
    const { conversationId } = log.conversation;
    log.entries = log.entries.filter((one) => one.key !== key);
    this.#events.emit("entryRemoved", { conversationId, key });
    this.change(log, { last: log.entries.at(-1) });
  }

  change(log: DemoLog, change: Partial<Conversation>): void {
    log.conversation = { ...log.conversation, ...change };
    this.#events.emit("conversations", [log.conversation]);
  }

  /** Fill them with talk. @param all the most recent first; some are pinned, muted, unread. */
  fill(all: readonly Past[]): void {
    all.forEach((past, age) => this.#fillOne(past, age));
  }

  #fillOne({ id, people, messages }: Past, age: number): void {
    const log = this.get(id);
    const end = Date.now() - age * 5_400_000;
    for (let seq = 1; seq <= messages; seq++) {
      const senderId = seq % 3 === 0 ? ME : (people[seq % people.length] ?? ME);
      const text = LINES[(seq * 7 + age) % LINES.length] ?? "";
      // A few minutes within a talk, some hours between two.
      const gapMs = (messages - seq) * 120_000 + Math.floor((messages - seq) / 9) * 9_000_000;
      log.entries.push(makeMessage(id, seq, senderId, { text }, end - gapMs));
    }
    const unread = age === 1 ? 5 : age === 3 ? 120 : 0;
    this.change(log, {
      last: log.entries.at(-1),
      lastActiveAtMs: end,
      headSeq: messages,
      untilSeq: messages,
      sinceSeq: Math.min(1, messages),
      unread: Math.min(unread, messages),
      isMentioned: age === 1,
      isMuted: age === 3,
      isPinned: age === 2,
      draft: age === 4 ? "还没写完的" : "",
      readSeq: Math.max(0, messages - unread),
      peerReadSeq: messages - 4,
      peerDeliveredSeq: messages - 2,
    });
  }
}

/** Of the entry that comes next. */
export function nextSeq(log: DemoLog): number {
  return log.conversation.headSeq + 1;
}
