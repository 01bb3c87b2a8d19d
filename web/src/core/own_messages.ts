/** One's own messages, from the wish to the log: kept, shown, sent in order, refused, deleted. */

import type { ChatEvents } from "./api";
import { Attachments, draftOf, isHeldUp } from "./attachments";
import type { Connection } from "./connection";
import type { Emitter } from "./emitter";
import { ChatError, asChatError } from "./errors";
import type { Files } from "./files";
import { newId, toHex, type ConversationId, type UserId } from "./ids";
import type { Log } from "./log";
import { Kind, type Draft, type Message } from "./model/entries";
import type { FileFacts } from "./model/files";
import { Outbox, type Outgoing } from "./outbox";
import { Sender } from "./sender";
import type { OutgoingRow } from "./store";
import type { Sent } from "./wire/_pb/tinyqq/_pb/client_pb";
import { contentOf, encodeDraft, ownKey, type LogEntry } from "./wire/entry";

export interface OwnMessagesOptions {
  readonly me: UserId;
  /** Opened already; what an earlier visit left in its outbox goes on. */
  readonly log: Log;
  readonly files: Pick<Files, "upload" | "cancel">;
  readonly events: Emitter<ChatEvents>;
  /** Gets every message that the server has numbered. */
  readonly onSent: (entry: LogEntry) => void;
  readonly random?: () => number;
}

/** What becomes of each is told by `entries` and `entryRemoved` events. */
export class OwnMessages {
  readonly #options: OwnMessagesOptions;
  readonly #log: Log;
  readonly #sender: Sender;
  readonly #attachments: Attachments;

  constructor(options: OwnMessagesOptions) {
    const { log, files, events, random } = options;
    this.#options = options;
    this.#log = log;
    const unsent = log.outgoing().filter((row) => !row.refusal && !row.file && !isHeldUp(row, log));
    this.#sender = new Sender({
      outbox: new Outbox(unsent),
      onSent: (outgoing, sent) => this.#sent(outgoing, sent),
      onRefused: (outgoing, error) => void this.#refused(outgoing, error),
      random,
    });
    this.#attachments = new Attachments({
      log,
      files,
      events,
      onReady: (outgoing) => this.#ready(outgoing),
      onRefused: (row, error) => void this.#refused(row, error),
      random,
    });
    void this.#attachments.resume();
  }

  /** There is a new connection, or none any more. */
  use(connection: Connection | undefined): void {
    this.#sender.use(connection);
  }

  /** Nothing goes any more; the next visit takes it up. */
  stop(): void {
    this.#attachments.stop();
    this.#sender.use(undefined);
  }

  /** What waits to be sent in a conversation, or was refused, in order. */
  waiting(conversationId: ConversationId): Message[] {
    return this.#log.outgoing(conversationId).map((row) => this.#show(row));
  }

  // ---- what the person wants -------------------------------------------------------------------

  /**
   * Put a message into the outbox; resolves when it is kept.
   *
   * @param clientMessageId the same for a repeat of one wish.
   * @throws ChatError BUSY: the outbox is full.
   */
  async send(id: ConversationId, draft: Draft, clientMessageId = toHex(newId())): Promise<Message> {
    const known = this.#log.outgoingRow(clientMessageId);
    if (known !== undefined) return this.#show(known);
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
    const message = this.#tell(clientMessageId);
    await kept;
    return message;
  }

  /** As {@link send}; it goes when its file is on the server. */
  async sendFile(
    id: ConversationId,
    file: Blob,
    { name, facts }: { readonly name: string; readonly facts?: FileFacts },
    clientMessageId = toHex(newId()),
  ): Promise<Message> {
    const known = this.#log.outgoingRow(clientMessageId);
    if (known !== undefined) return this.#show(known);
    const { kind = Kind.FILE, ...draft } = draftOf(file, name, facts);
    const outgoing = { conversationId: id, clientMessageId, kind, body: encodeDraft(draft) };
    const kept = this.#log.putOutgoing({ ...outgoing, file, createdAtMs: Date.now() });
    this.#attachments.start(clientMessageId);
    const message = this.#tell(clientMessageId);
    await kept;
    return message;
  }

  /** Send one that was refused again; no effect on others. */
  async retry(id: ConversationId, key: string): Promise<void> {
    const row = this.#find(id, key);
    if (row?.refusal === undefined) return;
    const { conversationId, clientMessageId, kind, body, file } = row;
    const outgoing = { conversationId, clientMessageId, kind, body };
    await this.#log.putOutgoing({ ...outgoing, ...(file && { file }), createdAtMs: Date.now() });
    this.#tell(clientMessageId);
    if (file === undefined) this.#add(outgoing);
    else this.#attachments.start(clientMessageId);
  }

  /** Delete one that was refused, or whose file is still on its way up; no effect on others. */
  async discard(id: ConversationId, key: string): Promise<void> {
    const row = this.#find(id, key);
    if (row === undefined || (!row.refusal && !row.file)) return;
    this.#attachments.cancel(row.clientMessageId);
    await this.#log.dropOutgoing(row.clientMessageId);
    this.#sendHeldUp(id);
    this.#options.events.emit("entryRemoved", { conversationId: id, key });
    this.#touch(id);
  }

  // ---- what becomes of it ----------------------------------------------------------------------

  /** It is in the log. */
  seen(clientMessageId: string): void {
    this.#sender.seen(clientMessageId);
    void this.#log.dropOutgoing(clientMessageId);
  }

  #sent(outgoing: Outgoing, sent: Sent): void {
    this.seen(outgoing.clientMessageId);
    this.#options.onSent({
      ...outgoing,
      seq: Number(sent.seq),
      ordinal: Number(sent.ordinal),
      senderId: this.#options.me,
      sentAtMs: Number(sent.sentAtMs),
      throughSeq: 0,
    });
  }

  /** Its file is on the server. */
  #ready(outgoing: Outgoing): void {
    this.#tell(outgoing.clientMessageId);
    this.#add(outgoing);
    this.#sendHeldUp(outgoing.conversationId);
  }

  /** What has waited for files that are there now, or never will be. */
  #sendHeldUp(id: ConversationId): void {
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
    this.#tell(clientMessageId);
    if (file) this.#sendHeldUp(conversationId);
    await kept;
  }

  // ---- showing ---------------------------------------------------------------------------------

  #find(id: ConversationId, key: string): OutgoingRow | undefined {
    return this.#log.outgoing(id).find((row) => ownKey(row.clientMessageId) === key);
  }

  #show(row: OutgoingRow): Message {
    const { conversationId, clientMessageId, kind, createdAtMs, file, refusal } = row;
    return {
      is: "message",
      key: ownKey(clientMessageId),
      conversationId,
      seq: 0,
      kind,
      senderId: this.#options.me,
      isOwn: true,
      sentAtMs: createdAtMs,
      content: contentOf(row),
      state: refusal ? "failed" : "sending",
      ...(file && { file }),
      ...(refusal && { error: new ChatError(refusal.code, refusal.fields) }),
    };
  }

  #tell(clientMessageId: string): Message {
    const row = this.#log.outgoingRow(clientMessageId);
    if (row === undefined) throw new TypeError("not in the outbox");
    const message = this.#show(row);
    const { conversationId } = row;
    this.#options.events.emit("entries", { conversationId, entries: [message], isFresh: false });
    this.#touch(conversationId);
    return message;
  }

  /** A conversation in which nothing was said yet comes into the list by what waits to be sent. */
  #touch(id: ConversationId): void {
    this.#log.change(id, (row) => ({ ...row }));
  }
}
