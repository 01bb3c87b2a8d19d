/** All that belongs to one user who is logged in: what comes, what goes, and how far things got. */

import { Kind, type ChatEvents, type Conversation, type Draft, type Entry, type Message } from "./api";
import type { FileFacts, HistoryPage, HistoryPlace, UserId } from "./api";
import { Attachments, draftOf, isHeldUp } from "./attachments";
import type { Connection } from "./connection";
import { toConversation, readsAll, withPeer, withRead, type ConversationRow } from "./conversations";
import { ChatError, asChatError } from "./errors";
import type { Emitter } from "./emitter";
import type { Files } from "./files";
import { History } from "./history";
import { conversationType, directConversation, newId, toHex } from "./ids";
import { Inbox } from "./inbox";
import type { Log } from "./log";
import { Marks, type Mark } from "./marks";
import { Outbox, type Outgoing } from "./outbox";
import { Receiver, type Call } from "./receiver";
import { Sender } from "./sender";
import type { OutgoingRow } from "./store";
import type { CursorMoved, Sent, Summary } from "./wire/_pb/tinyqq/_pb/client_pb";
import {
  contentOf,
  encodeDraft,
  isShown,
  noticeOf,
  ownKey,
  toEntry,
  toLogEntry,
  type LogEntry,
} from "./wire/entry";
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

export class Mailbox {
  readonly #options: MailboxOptions;
  readonly #me: string;
  readonly #log: Log;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #marks: Marks;
  readonly #history: History;
  readonly #attachments: Attachments;
  readonly #typedAtMs = new Map<string, number>();
  /** What one's own recalled messages said, by key. */
  readonly #recalledTexts = new Map<string, string>();
  #connection: Connection | undefined;

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#me = options.me;
    const log = (this.#log = options.log);
    const inbox = new Inbox(
      [...log.rows].map(({ conversationId, position }) => ({ conversationId, seq: position })),
    );
    const unsent = log.outgoing().filter((row) => !row.refusal && !row.file && !isHeldUp(row, log));
    this.#marks = new Marks((marks) => this.#tell(marks));
    this.#sender = new Sender({
      outbox: new Outbox(unsent),
      onSent: (outgoing, sent) => this.#sent(outgoing, sent),
      onRefused: (outgoing, error) => void this.#refused(outgoing, error),
      random: options.random,
    });
    this.#receiver = new Receiver({
      me: this.#me,
      inbox,
      log,
      call: options.call,
      onEntries: (entries, isFresh) => this.#arrived(entries, isFresh),
      onHidden: (groupId) => {
        if (conversationType(groupId) === "group") options.events.emit("joinRequestsChanged", { groupId });
      },
      onPosition: (conversationId, deliveredSeq) =>
        this.#marks.move({ conversationId, deliveredSeq, readSeq: 0 }),
      onSummary: (summary) => this.#compareMarks(summary),
      onRemoved: (id) => options.events.emit("conversationRemoved", id),
      onReset: (ids) => options.events.emit("conversationsReset", ids),
      onListed: options.onListed,
      onSynced: options.onSynced,
    });
    this.#history = new History({
      log,
      call: options.call,
      isOnline: () => this.#connection !== undefined,
      onNewer: (entry) => this.#receiver.take(entry, false),
      show: (entry) => this.#show(entry),
      pending: (id) => log.outgoing(id).map((row) => this.#showOutgoing(row)),
    });
    this.#attachments = new Attachments({
      log,
      files: options.files,
      events: options.events,
      onReady: (outgoing) => this.#ready(outgoing),
      onRefused: (row, error) => void this.#refused(row, error),
      random: options.random,
    });
    void this.#attachments.resume();
  }

  // ---- for the link ----------------------------------------------------------------------------

  onUp(connection: Connection): void {
    this.#connection = connection;
    this.#receiver.catchUp();
    this.#sender.use(connection);
    this.#marks.flush();
  }

  onDown(): void {
    this.#connection = undefined;
    this.#sender.use(undefined);
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
    this.#attachments.stop();
    this.#sender.use(undefined);
    this.#receiver.stop();
    this.#connection = undefined;
  }

  // ---- conversations ---------------------------------------------------------------------------

  conversations(): Conversation[] {
    return [...this.#log.rows].map((row) => this.conversation(row));
  }

  conversation(row: ConversationRow): Conversation {
    const waiting = this.#log.outgoing(row.conversationId).at(-1);
    return toConversation(row, this.#me, waiting && this.#showOutgoing(waiting));
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

  /** @param clientMessageId the same for a repeat of one wish. @throws ChatError BUSY. */
  async send(id: string, draft: Draft, clientMessageId = toHex(newId())): Promise<Message> {
    const known = this.#log.outgoingRow(clientMessageId);
    if (known !== undefined) return this.#showOutgoing(known);
    const { kind = Kind.TEXT, after } = draft;
    const outgoing = { conversationId: id, clientMessageId, kind, body: encodeDraft(draft) };
    const row = { ...outgoing, ...(after && { after }) };
    const kept = this.#log.putOutgoing({ ...row, createdAtMs: Date.now() });
    try {
      if (!isHeldUp(row, this.#log)) this.#sender.add(outgoing);
    } catch (error) {
      await this.#log.dropOutgoing(clientMessageId);
      throw error;
    }
    const message = this.#tellOutgoing(clientMessageId);
    await kept;
    return message;
  }

  /** As {@link send}; it goes when its file is on the server. */
  async sendFile(
    id: string,
    file: Blob,
    { name, facts }: { readonly name: string; readonly facts?: FileFacts },
    clientMessageId = toHex(newId()),
  ): Promise<Message> {
    const known = this.#log.outgoingRow(clientMessageId);
    if (known !== undefined) return this.#showOutgoing(known);
    const { kind = Kind.FILE, ...draft } = draftOf(file, name, facts);
    const outgoing = { conversationId: id, clientMessageId, kind, body: encodeDraft(draft) };
    const kept = this.#log.putOutgoing({ ...outgoing, file, createdAtMs: Date.now() });
    this.#attachments.start(clientMessageId);
    const message = this.#tellOutgoing(clientMessageId);
    await kept;
    return message;
  }

  async retry(id: string, key: string): Promise<void> {
    const row = this.#rowOf(id, key);
    if (row?.refusal === undefined) return;
    const { conversationId, clientMessageId, kind, body, file } = row;
    const outgoing = { conversationId, clientMessageId, kind, body };
    await this.#log.putOutgoing({ ...outgoing, ...(file && { file }), createdAtMs: Date.now() });
    this.#tellOutgoing(clientMessageId);
    if (file === undefined) this.#sender.add(outgoing);
    else this.#attachments.start(clientMessageId);
  }

  async discard(id: string, key: string): Promise<void> {
    const row = this.#rowOf(id, key);
    if (row === undefined || (!row.refusal && !row.file)) return;
    this.#attachments.cancel(row.clientMessageId);
    await this.#log.dropOutgoing(row.clientMessageId);
    this.#sendHeldUp(id);
    this.#options.events.emit("entryRemoved", { conversationId: id, key });
    this.#tellConversation(id);
  }

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
      if (entry.senderId === this.#me) this.#seen(entry.clientMessageId);
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

  // ---- what goes -------------------------------------------------------------------------------

  #sent(outgoing: Outgoing, sent: Sent): void {
    this.#seen(outgoing.clientMessageId);
    const entry: LogEntry = {
      ...outgoing,
      seq: Number(sent.seq),
      ordinal: Number(sent.ordinal),
      senderId: this.#me,
      sentAtMs: Number(sent.sentAtMs),
      throughSeq: 0,
    };
    this.#receiver.take(entry, false);
  }

  /** One's own entry is in the log. */
  #seen(clientMessageId: string): void {
    this.#sender.seen(clientMessageId);
    void this.#log.dropOutgoing(clientMessageId);
  }

  /** Its file is on the server. */
  #ready(outgoing: Outgoing): void {
    this.#tellOutgoing(outgoing.clientMessageId);
    this.#add(outgoing);
    this.#sendHeldUp(outgoing.conversationId);
  }

  /** What has waited for files that are there now, or never will be. */
  #sendHeldUp(id: string): void {
    for (const row of this.#log.outgoing(id)) {
      if (row.after && !row.refusal && !isHeldUp(row, this.#log)) this.#add(row);
    }
  }

  #add(outgoing: Outgoing): void {
    try {
      this.#sender.add(outgoing);
    } catch (error) {
      void this.#refused(outgoing, asChatError(error));
    }
  }

  async #refused(outgoing: Outgoing, error: ChatError): Promise<void> {
    const { createdAtMs = Date.now(), file } = this.#log.outgoingRow(outgoing.clientMessageId) ?? {};
    const refusal = { code: error.code, fields: error.fields };
    const { conversationId, clientMessageId, kind, body } = outgoing;
    const row = { conversationId, clientMessageId, kind, body, createdAtMs, refusal };
    const kept = this.#log.putOutgoing(file ? { ...row, file } : row);
    this.#tellOutgoing(outgoing.clientMessageId);
    if (file) this.#sendHeldUp(conversationId);
    await kept;
  }

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

  #rowOf(id: string, key: string): OutgoingRow | undefined {
    return this.#log.outgoing(id).find((row) => ownKey(row.clientMessageId) === key);
  }

  // ---- showing ---------------------------------------------------------------------------------

  #show(entry: LogEntry): Entry {
    const shown = toEntry(entry, this.#me);
    const recalledText = this.#recalledTexts.get(shown.key);
    if (shown.is !== "message" || entry.kind !== Kind.RECALLED || !recalledText) return shown;
    return { ...shown, recalledText };
  }

  #showOutgoing(row: OutgoingRow): Message {
    const { conversationId, clientMessageId, kind, createdAtMs, file, refusal } = row;
    return {
      is: "message",
      key: ownKey(clientMessageId),
      conversationId,
      seq: 0,
      kind,
      senderId: this.#me,
      isOwn: true,
      sentAtMs: createdAtMs,
      content: contentOf(row),
      state: refusal ? "failed" : "sending",
      ...(file && { file }),
      ...(refusal && { error: new ChatError(refusal.code, refusal.fields) }),
    };
  }

  #tellOutgoing(clientMessageId: string): Message {
    const row = this.#log.outgoingRow(clientMessageId);
    if (row === undefined) throw new TypeError("not in the outbox");
    const message = this.#showOutgoing(row);
    const { conversationId } = row;
    this.#options.events.emit("entries", { conversationId, entries: [message], isFresh: false });
    this.#tellConversation(conversationId);
    return message;
  }

  #tellConversation(id: string): void {
    // A conversation in which nothing was said yet comes into the list by what waits to be sent.
    this.#log.change(id, (row) => ({ ...row }));
  }
}
