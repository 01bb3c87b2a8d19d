/** All that belongs to one user who is logged in: what comes, and how far things got. What goes is in
 * {@link OwnMessages}. */

import type { ChatEvents } from "./api";
import type { Connection } from "./connection";
import { readsAll, toConversation, withPeer, withRead, type ConversationRow } from "./conversations";
import type { Emitter } from "./emitter";
import { asChatError } from "./errors";
import type { Files } from "./files";
import { History } from "./history";
import { conversationType, directConversation, newId, type UserId } from "./ids";
import { Inbox } from "./inbox";
import type { Log } from "./log";
import { Marks, type Mark } from "./marks";
import type { Conversation, HistoryPage, HistoryPlace } from "./model/conversations";
import { Kind, type Entry } from "./model/entries";
import { OwnMessages } from "./own_messages";
import { Receiver, type Call } from "./receiver";
import type { CursorMoved, Summary } from "./wire/_pb/tinyqq/_pb/client_pb";
import { contentOf, isShown, noticeOf, ownKey, toEntry, toLogEntry, type LogEntry } from "./wire/entry";
import { Request, type Pushed } from "./wire/packets";

export interface MailboxOptions {
  readonly me: string;
  /** Opened already; closed by who opened it. */
  readonly log: Log;
  readonly call: Call;
  readonly files: Pick<Files, "upload" | "cancel">;
  readonly events: Emitter<ChatEvents>;
  /** The list of conversations is what the server has. */
  readonly onListed: () => void;
  readonly onSynced: () => void;
  readonly random?: () => number;
}

/** One typing notice in so long is enough: the other shows it for five seconds. */
const TYPING_EVERY_MS = 3_000;

/** One per log-in; the link drives it. */
export class Mailbox {
  readonly own: OwnMessages;
  readonly #options: MailboxOptions;
  readonly #me: string;
  readonly #log: Log;
  readonly #receiver: Receiver;
  readonly #marks: Marks;
  readonly #history: History;
  readonly #typedAtMs = new Map<string, number>();
  /** What one's own recalled messages said, by key. */
  readonly #recalledTexts = new Map<string, string>();
  #connection: Connection | undefined;

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#me = options.me;
    const { log, call, files, events, random } = options;
    this.#log = log;
    const inbox = new Inbox(
      [...log.rows].map(({ conversationId, position }) => ({ conversationId, seq: position })),
    );
    this.#marks = new Marks((marks) => this.#tell(marks));
    this.own = new OwnMessages({
      me: this.#me,
      log,
      files,
      events,
      onSent: (entry) => this.#receiver.take(entry, false),
      random,
    });
    this.#receiver = new Receiver({
      me: this.#me,
      inbox,
      log,
      call,
      onEntries: (entries, isFresh) => this.#arrived(entries, isFresh),
      onHidden: (groupId) => {
        if (conversationType(groupId) === "group") events.emit("joinRequestsChanged", { groupId });
      },
      onPosition: (conversationId, deliveredSeq) =>
        this.#marks.move({ conversationId, deliveredSeq, readSeq: 0 }),
      onSummary: (summary) => this.#compareMarks(summary),
      onRemoved: (id) => events.emit("conversationRemoved", id),
      onReset: (ids) => events.emit("conversationsReset", ids),
      onListed: options.onListed,
      onSynced: options.onSynced,
    });
    this.#history = new History({
      log,
      call,
      isOnline: () => this.#connection !== undefined,
      onNewer: (entry) => this.#receiver.take(entry, false),
      show: (entry) => this.#show(entry),
      pending: (id) => this.own.waiting(id),
    });
  }

  // ---- for the link ----------------------------------------------------------------------------

  onUp(connection: Connection): void {
    this.#connection = connection;
    this.#receiver.catchUp();
    this.own.use(connection);
    this.#marks.flush();
  }

  onDown(): void {
    this.#connection = undefined;
    this.own.use(undefined);
  }

  onPush(push: Pushed): void {
    const { events } = this.#options;
    switch (push.$typeName) {
      case "tinyqq.v1.Entry":
        this.#receiver.take(toLogEntry(push), true);
        break;
      case "tinyqq.v1.HeadHint":
        this.#receiver.hint(push);
        break;
      case "tinyqq.v1.CursorMoved":
        void this.#cursorMoved(push);
        break;
      case "tinyqq.v1.Typing":
        events.emit("typing", { conversationId: push.conversationId, userId: push.userId });
        break;
      case "tinyqq.v1.PresenceChanged": {
        const { userId, online, lastSeenAtMs } = push;
        events.emit("presence", { userId, online, lastSeenAtMs: Number(lastSeenAtMs) });
        break;
      }
      case "tinyqq.v1.ProfileChanged": {
        const { userId, nickname, avatar } = push;
        this.name([push]);
        events.emit("profileChanged", { userId, nickname, avatar });
        break;
      }
    }
  }

  /** Look for what may have been missed. */
  catchUp(): void {
    this.#receiver.catchUp();
    // Presence is told in passing too, and is found with the contacts.
    this.#options.events.emit("contactsChanged", null);
  }

  /** Nothing comes any more. */
  stop(): void {
    this.#marks.flush();
    this.#marks.close();
    this.own.stop();
    this.#receiver.stop();
    this.#connection = undefined;
  }

  // ---- conversations ---------------------------------------------------------------------------

  conversations(): Conversation[] {
    return [...this.#log.rows].map((row) => this.conversation(row));
  }

  conversation(row: ConversationRow): Conversation {
    return toConversation(row, this.#me, this.own.waiting(row.conversationId).at(-1));
  }

  history(id: string, place: HistoryPlace, limit?: number): Promise<HistoryPage> {
    return this.#history.read(id, place, limit);
  }

  entry(id: string, seq: number): Promise<Entry | undefined> {
    return this.#history.entry(id, seq);
  }

  async markRead(id: string, seq: number): Promise<void> {
    this.#marks.move({ conversationId: id, deliveredSeq: 0, readSeq: seq });
    await this.#read(id, seq);
  }

  typing(id: string): void {
    const nowMs = performance.now();
    if (conversationType(id) !== "direct") return;
    if (nowMs - (this.#typedAtMs.get(id) ?? -TYPING_EVERY_MS) < TYPING_EVERY_MS) return;
    this.#typedAtMs.set(id, nowMs);
    this.#connection?.notify(Request.TYPING, { conversationId: id });
  }

  /** What people are called. */
  name(people: Iterable<{ readonly userId: UserId; readonly nickname: string }>): void {
    for (const { userId, nickname: name } of people) {
      const id = directConversation(this.#me, userId);
      const row = this.#log.row(id);
      if (row !== undefined && row.name !== name) this.#log.learn(id, (one) => ({ ...one, name }));
    }
  }

  /** Change what only this device knows of a conversation. */
  note(id: string, change: Partial<Pick<ConversationRow, "draft" | "isPinned" | "isMuted">>): void {
    this.#log.change(id, (row) => ({ ...row, ...change }));
  }

  // ---- messages --------------------------------------------------------------------------------

  async recall(id: string, seq: number): Promise<void> {
    const target = await this.#log.entry(id, seq);
    if (target?.senderId === this.#me) {
      this.#recalledTexts.set(ownKey(target.clientMessageId), contentOf(target).text);
    }
    await this.#options.call(Request.RECALL, {
      operationId: newId(),
      conversationId: id,
      seq: String(seq),
    });
  }

  // ---- what arrives ----------------------------------------------------------------------------

  #arrived(entries: readonly LogEntry[], isFresh: boolean): void {
    for (const entry of entries) {
      if (entry.senderId === this.#me) this.own.seen(entry.clientMessageId);
      if (entry.kind === Kind.RECALL) void this.#recalled(entry);
      this.#tellChanges(entry);
    }
    const conversationId = entries[0]?.conversationId ?? "";
    const shown = entries.filter(isShown).map((one) => this.#show(one));
    const fresh = shown.filter((one) => isFresh && !one.isOwn);
    const other = shown.filter((one) => !fresh.includes(one));
    const { events } = this.#options;
    if (other.length > 0) events.emit("entries", { conversationId, entries: other, isFresh: false });
    if (fresh.length > 0) events.emit("entries", { conversationId, entries: fresh, isFresh: true });
    if (isFresh && conversationType(conversationId) === "self") this.#tellNotices(entries);
  }

  #tellNotices(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const told = this.#show(entry);
      if (told.is === "notice" && !told.isOwn) this.#options.events.emit("told", told);
    }
  }

  async #recalled(recall: LogEntry): Promise<void> {
    const { conversationId } = recall;
    const target = await this.#log.recall(recall);
    if (target === undefined) return;
    const entry = await this.#log.entry(conversationId, target.seq);
    if (entry === undefined) return;
    const entries = [this.#show(entry)];
    this.#options.events.emit("entries", { conversationId, entries, isFresh: false });
  }

  /** Tell who shows contacts and groups that they are out of date. */
  #tellChanges(entry: LogEntry): void {
    const { events } = this.#options;
    if (entry.kind >= Kind.FRIEND_REQUESTED && entry.kind <= Kind.UNBLOCKED) {
      events.emit("contactsChanged", null);
    } else if (entry.kind >= Kind.GROUP_CREATED && entry.kind <= Kind.MEMBER_INVITED) {
      const isInGroup = conversationType(entry.conversationId) === "group";
      const groupId = isInGroup ? entry.conversationId : noticeOf(entry).groupId;
      events.emit("groupsChanged", { groupId });
    }
  }

  async #cursorMoved(moved: CursorMoved): Promise<void> {
    const { conversationId, userId } = moved;
    const [delivered, read] = [Number(moved.deliveredSeq), Number(moved.readSeq)];
    if (this.#log.row(conversationId) === undefined) return;
    if (userId === this.#me) await this.#read(conversationId, read);
    else this.#log.change(conversationId, (row) => withPeer(row, delivered, read));
  }

  async #read(id: string, seq: number): Promise<void> {
    const row = this.#log.row(id);
    if (row === undefined || seq <= row.readSeq) return;
    try {
      const ordinal = readsAll(row, seq) ? row.lastOrdinal : await this.#history.ordinal(id, seq);
      this.#log.change(id, (one) => withRead(one, seq, ordinal));
    } catch (error) {
      // What is left unread cannot be counted now. The row stays behind the server, so that the
      // next overview has it, with the count.
      asChatError(error);
    }
  }

  // ---- cursors ---------------------------------------------------------------------------------

  #tell(marks: readonly Mark[]): boolean {
    if (this.#connection === undefined || this.#connection.isClosed) return false;
    const [first, ...others] = marks.map(({ conversationId, deliveredSeq, readSeq }) => ({
      conversationId,
      deliveredSeq: String(deliveredSeq),
      readSeq: String(readSeq),
    }));
    if (first === undefined) return true;
    if (others.length === 0) this.#connection.notify(Request.MARK, first);
    else this.#connection.notify(Request.MARK_MANY, { marks: [first, ...others] });
    return true;
  }

  /** What was marked here and is not on the server was lost on the way, or in an earlier visit. */
  #compareMarks({ conversationId, deliveredSeq, readSeq }: Summary): void {
    this.#marks.learn({ conversationId, deliveredSeq: Number(deliveredSeq), readSeq: Number(readSeq) });
    const row = this.#log.row(conversationId);
    if (row === undefined) return;
    this.#marks.move({ conversationId, deliveredSeq: row.position, readSeq: row.readSeq });
  }

  // ---- showing ---------------------------------------------------------------------------------

  #show(entry: LogEntry): Entry {
    const shown = toEntry(entry, this.#me);
    const recalledText = this.#recalledTexts.get(shown.key);
    if (shown.is !== "message" || entry.kind !== Kind.RECALLED || !recalledText) return shown;
    return { ...shown, recalledText };
  }
}
