/**
 * A client without a server: made-up people who answer, delays, failures. For building, testing and
 * looking at the screens.
 *
 * Log in with any number and a password of at least 8 characters; "wrong-password" is wrong. Texts
 * that begin with `/` make something happen: `/fail` (refused for good), `/slow` (3 s), `/kick`,
 * `/drop` (the connection breaks for 5 s), `/flood` (20 messages), `/recall` (the other takes back
 * their last message).
 */

import {
  ChatError,
  ErrorCode,
  type Account,
  type ChatClient,
  type ChatEvents,
  type Connection,
  type Conversation,
  type ConversationId,
  type Draft,
  type Entry,
  type FileFacts,
  type FileLimits,
  type FileRef,
  type GroupChange,
  type GroupId,
  type HistoryPage,
  type HistoryPlace,
  type JoinPolicy,
  type Message,
  type OwnFiles,
  type Profile,
  type ProfileChange,
  type Registered,
  type Unsubscribe,
  type UserId,
} from "../core/api";
import { draftOf } from "../core/attachments";
import { directConversation, newId, peerOf, toHex } from "../core/ids";
import { DemoConversations, nextSeq, type DemoLog } from "./conversations";
import { NO_NOTICE, makeFounding, makeMessage, recalled } from "./entries";
import { LINES, ME, PEOPLE } from "./people";
import { DemoWorld } from "./world";

/** How it behaves. */
export interface DemoOptions {
  /** How long an answer takes; 0 in tests. */
  readonly delayMs?: number;
  /** Log in at once when resumed. */
  readonly isLoggedIn?: boolean;
  /** Messages in the longest conversation. */
  readonly messages?: number;
  /** Whether people answer. */
  readonly answers?: boolean;
  /** Whether files can be sent. */
  readonly canUpload?: boolean;
}

export class DemoClient extends DemoWorld implements ChatClient {
  account: Account | null = null;
  connection: Connection = { state: "none" };
  readonly canUpload: boolean;
  readonly #delayMs: number;
  readonly #options: DemoOptions;
  readonly #talk = new DemoConversations(this.events, (id) => this.#nameOf(id));
  readonly #files = new Map<string, Blob>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(options: DemoOptions = {}) {
    super();
    this.#options = options;
    this.canUpload = options.canUpload ?? false;
    this.#delayMs = options.delayMs ?? 120;
  }

  on<Name extends keyof ChatEvents>(
    name: Name,
    handler: (event: ChatEvents[Name]) => void,
  ): Unsubscribe {
    return this.events.on(name, handler);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.events.clear();
  }

  // ---- coming in -------------------------------------------------------------------------------

  async resume(): Promise<Account | null> {
    await this.pause();
    return this.#options.isLoggedIn ? this.#enter(ME) : null;
  }

  async register(nickname: string, password: string): Promise<Registered> {
    await this.pause();
    if (nickname.trim() === "") throw new ChatError(ErrorCode.BAD_NICKNAME);
    if (password.length < 8) throw new ChatError(ErrorCode.WEAK_PASSWORD, { reason: "too short" });
    this.ownProfile = { ...this.ownProfile, nickname };
    return { userId: ME, recoveryCode: "7K2M-QX4P-9DRT-HV3N" };
  }

  async logIn(userId: UserId, password: string): Promise<Account> {
    await this.pause();
    if (password.length < 8 || password === "wrong-password" || !/^\d+$/.test(userId)) {
      throw new ChatError(ErrorCode.BAD_CREDENTIALS);
    }
    return this.#enter(ME);
  }

  async logOut(): Promise<void> {
    await this.pause();
    this.account = null;
    this.#talk.clear();
    this.events.emit("account", null);
    this.#connect({ state: "none" });
  }

  async recoverPassword(_userId: UserId, recoveryCode: string): Promise<string> {
    await this.pause();
    if (recoveryCode.length < 8) throw new ChatError(ErrorCode.BAD_RECOVERY_CODE);
    return "3FWN-8TJD-QM6K-XZ2A";
  }

  reconnect(): void {
    if (this.connection.state === "waiting") this.#connect(ONLINE);
  }

  // ---- conversations ---------------------------------------------------------------------------

  async conversations(): Promise<readonly Conversation[]> {
    await this.pause();
    return this.#talk.list();
  }

  conversationWith(userId: UserId): ConversationId {
    return directConversation(ME, userId);
  }

  conversationOf(groupId: GroupId): ConversationId {
    return groupId;
  }

  async history(id: ConversationId, place: HistoryPlace, limit = 50): Promise<HistoryPage> {
    await this.pause();
    return this.#talk.read(id, place, limit);
  }

  async entry(id: ConversationId, seq: number): Promise<Entry | undefined> {
    await this.pause();
    return this.#talk.find(id)?.entries.find((one) => one.seq === seq);
  }

  markRead(id: ConversationId, seq: number): void {
    const log = this.#talk.find(id);
    if (log === undefined || seq <= log.conversation.readSeq) return;
    const unread = log.entries.filter((one) => one.seq > seq && !one.isOwn).length;
    this.#talk.change(log, { readSeq: seq, unread, isMentioned: unread > 0 && log.conversation.isMentioned });
  }

  typing(): void {
    // Nobody looks.
  }

  setDraft(id: ConversationId, draft: string): void {
    this.#talk.change(this.#talk.get(id), { draft });
  }

  setPinned(id: ConversationId, isPinned: boolean): void {
    this.#talk.change(this.#talk.get(id), { isPinned });
  }

  setMuted(id: ConversationId, isMuted: boolean): void {
    this.#talk.change(this.#talk.get(id), { isMuted });
  }

  // ---- messages --------------------------------------------------------------------------------

  async send(id: ConversationId, draft: Draft): Promise<Message> {
    const message = makeMessage(id, 0, ME, draft, Date.now());
    const log = this.#talk.get(id);
    this.#talk.put(log, message);
    this.#transmit(log, message);
    return message;
  }

  async retry(id: ConversationId, key: string): Promise<void> {
    const log = this.#talk.get(id);
    const message = log.entries.find((one) => one.key === key);
    if (message?.is !== "message" || message.state !== "failed") return;
    const again: Message = { ...message, state: "sending", error: undefined };
    this.#talk.put(log, again);
    this.#later(this.#delayMs * 4, () => this.#commit(log, again));
  }

  async discard(id: ConversationId, key: string): Promise<void> {
    this.#talk.remove(this.#talk.get(id), key);
  }

  async recall(id: ConversationId, seq: number): Promise<void> {
    await this.pause();
    const log = this.#talk.get(id);
    const message = log.entries.find((one) => one.seq === seq);
    if (message?.is !== "message") throw new ChatError(ErrorCode.MESSAGE_NOT_FOUND);
    if (Date.now() - message.sentAtMs > 120_000) throw new ChatError(ErrorCode.RECALL_TOO_LATE);
    this.#talk.put(log, recalled(message));
  }

  async sendFile(id: ConversationId, file: Blob, name: string, facts?: FileFacts): Promise<Message> {
    const draft = draftOf(file, name, facts);
    const blobId = toHex(newId());
    this.#files.set(blobId, file);
    return this.send(id, { ...draft, ...(draft.media && { media: { ...draft.media, blobId } }) });
  }

  async fileLimits(): Promise<FileLimits> {
    return { maxBytes: 100 << 20, maxPictureBytes: 32 << 20 };
  }

  async fetchFile(ref: FileRef): Promise<Blob> {
    await this.pause();
    const file = this.#files.get(ref.is === "avatar" ? ref.userId : ref.blobId);
    if (file === undefined) throw new ChatError(ErrorCode.MEDIA_NOT_FOUND);
    return file;
  }

  async ownFiles(): Promise<OwnFiles> {
    await this.pause();
    const kept = [...this.#files].filter(([id]) => id !== ME).reverse();
    const files = kept.map(([blobId, file]) => ({
      blobId,
      name: file instanceof File ? file.name : "",
      mediaType: file.type,
      sizeBytes: file.size,
      hasThumbnail: file.type.startsWith("image/"),
      addedAtMs: Date.now(),
    }));
    const usedBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return { usedBytes, quotaBytes: 2 * 1024 ** 3, files, next: "" };
  }

  async deleteFile(blobId: string): Promise<void> {
    await this.pause();
    if (!this.#files.delete(blobId)) throw new ChatError(ErrorCode.MEDIA_NOT_FOUND);
  }

  async setAvatar(picture: Blob): Promise<Profile> {
    this.#files.set(ME, picture);
    return this.updateProfile({ avatar: toHex(newId()) });
  }

  // ---- people and groups, where conversations change too ---------------------------------------

  override async updateProfile(change: ProfileChange): Promise<Profile> {
    const profile = await super.updateProfile(change);
    this.account = { userId: ME, nickname: profile.nickname, mustChangePassword: false };
    this.events.emit("account", this.account);
    return profile;
  }

  override async setRemark(userId: UserId, remark: string): Promise<void> {
    await super.setRemark(userId, remark);
    const nickname = PEOPLE.find((one) => one.id === userId)?.nickname ?? userId;
    this.#talk.change(this.#talk.get(this.conversationWith(userId)), { name: remark || nickname });
  }

  override async createGroup(
    name: string,
    joinPolicy: JoinPolicy,
    invite: readonly UserId[],
  ): Promise<GroupId> {
    const groupId = await super.createGroup(name, joinPolicy, invite);
    const body = { ...NO_NOTICE, groupId, name, joinPolicy };
    this.#talk.put(this.#talk.get(groupId), makeFounding(groupId, body));
    return groupId;
  }

  override async updateGroup(groupId: GroupId, change: GroupChange): Promise<void> {
    await super.updateGroup(groupId, change);
    if (change.name !== undefined) this.#talk.change(this.#talk.get(groupId), { name: change.name });
  }

  async deleteAccount(_password: string, confirmUserId: UserId): Promise<void> {
    await this.pause();
    if (confirmUserId !== ME) throw new ChatError(ErrorCode.NOT_CONFIRMED);
    await this.logOut();
  }

  // ---- what happens by itself, for tests too ---------------------------------------------------

  /** Somebody writes. */
  arrive(id: ConversationId, senderId: UserId, text: string): Message {
    const log = this.#talk.get(id);
    const message = makeMessage(id, nextSeq(log), senderId, { text }, Date.now());
    this.#talk.put(log, message, true);
    return message;
  }

  /** The connection breaks, and comes back after a time. */
  drop(forMs = 5_000): void {
    this.#connect({ state: "waiting", untilMs: Date.now() + forMs, attempt: 1 });
    this.#later(forMs, () => this.#connect({ state: "connecting", attempt: 2 }));
    this.#later(forMs + this.#delayMs, () => this.#connect(ONLINE));
  }

  /** Another page took the place of this one. */
  kick(): void {
    this.#connect({ state: "kicked", reason: "replaced", deviceName: "Chrome, Windows" });
  }

  // ---- inside ----------------------------------------------------------------------------------

  #enter(userId: UserId): Account {
    const nickname = this.ownProfile.nickname ?? "林小满";
    this.account = { userId, nickname, mustChangePassword: false };
    if (this.#talk.list().length === 0) this.#fill();
    this.events.emit("account", this.account);
    this.#connect({ state: "connecting", attempt: 1 });
    this.#later(this.#delayMs, () => this.#connect(ONLINE));
    return this.account;
  }

  #fill(): void {
    const messages = this.#options.messages ?? 400;
    this.#talk.fill([
      { id: this.conversationWith("10002"), people: ["10002"], messages },
      { id: "20001", people: ["10002", "10003", "10004", "10005"], messages: 120 },
      { id: this.conversationWith("10003"), people: ["10003"], messages: 24 },
      { id: "20002", people: ["10002", "10007", "10009"], messages: 60 },
      { id: this.conversationWith("10009"), people: ["10009"], messages: 6 },
      { id: this.conversationWith("10000"), people: ["10000"], messages: 1 },
      { id: this.conversationWith(ME), people: [ME], messages: 3 },
      { id: "20003", people: ["10003"], messages: 0 },
    ]);
  }

  /** The group's name, else the remark or nickname of the person. */
  #nameOf(id: ConversationId): string {
    const peerId = peerOf(id, ME);
    const group = this.groupList.find((one) => one.groupId === id);
    const contact = this.contactList.find((one) => one.userId === peerId);
    return group?.name ?? (contact?.remark || (PEOPLE.find((one) => one.id === peerId)?.nickname ?? ""));
  }

  #transmit(log: DemoLog, message: Message): void {
    const text = message.content.text;
    if (text.startsWith("/drop")) this.drop();
    if (text.startsWith("/kick")) this.kick();
    if (text.startsWith("/fail")) {
      const error = new ChatError(ErrorCode.NOT_FRIENDS);
      this.#later(this.#delayMs * 4, () => this.#talk.put(log, { ...message, state: "failed", error }));
      return;
    }
    const delayMs = text.startsWith("/slow") ? 3_000 : this.#delayMs * 2;
    this.#later(delayMs, () => this.#commit(log, message));
  }

  #commit(log: DemoLog, message: Message): void {
    if (this.connection.state !== "online") {
      this.#later(200, () => this.#commit(log, message));
      return;
    }
    const seq = nextSeq(log);
    this.#talk.put(log, { ...message, state: "sent", seq, sentAtMs: Date.now() });
    if (log.conversation.type !== "direct") return;
    this.#later(this.#delayMs * 4, () => this.#talk.change(log, { peerDeliveredSeq: seq }));
    this.#later(this.#delayMs * 10, () => this.#talk.change(log, { peerReadSeq: seq }));
    if (this.#options.answers ?? true) this.#answer(log, message);
  }

  #answer(log: DemoLog, message: Message): void {
    const { conversationId, peerId } = log.conversation;
    const text = message.content.text;
    if (text.startsWith("/recall")) {
      const theirs = log.entries.findLast((one) => one.senderId === peerId && one.is === "message");
      if (theirs?.is === "message") this.#talk.put(log, recalled(theirs));
      return;
    }
    const count = text.startsWith("/flood") ? 20 : 1;
    this.#later(this.#delayMs * 8, () => {
      this.events.emit("typing", { conversationId, userId: peerId });
    });
    for (let index = 1; index <= count; index++) {
      const line = peerId === "10009" ? text : (LINES[(nextSeq(log) + index) % LINES.length] ?? "");
      this.#later(this.#delayMs * (16 + 4 * index), () => this.arrive(conversationId, peerId, line));
    }
  }

  #connect(connection: Connection): void {
    this.connection = connection;
    this.events.emit("connection", connection);
  }

  /** Without a delay nobody waits for a timer: in a test all that was asked is answered together. */
  protected async pause(): Promise<void> {
    if (this.#delayMs > 0) await new Promise<void>((resolve) => this.#later(this.#delayMs, resolve));
  }

  #later(ms: number, call: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      call();
    }, ms);
    this.#timers.add(timer);
  }
}

const ONLINE: Connection = { state: "online", unitId: "unit-1", isSyncing: false };
