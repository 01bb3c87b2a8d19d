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
  Kind,
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
  type NoticeBody,
  type OwnFiles,
  type Profile,
  type ProfileChange,
  type Registered,
  type Unsubscribe,
  type UserId,
} from "./api";
import { draftOf } from "./attachments";
import { LINES, ME, PEOPLE } from "./fake_people";
import { FakeWorld } from "./fake_world";
import { conversationType, directConversation, newId, peerOf, toHex } from "./ids";

/** How the fake behaves. */
export interface FakeOptions {
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

interface Log {
  entries: Entry[];
  conversation: Conversation;
}

export class FakeChatClient extends FakeWorld implements ChatClient {
  account: Account | null = null;
  connection: Connection = { state: "none" };
  readonly canUpload: boolean;
  readonly #delayMs: number;
  readonly #options: FakeOptions;
  readonly #logs = new Map<ConversationId, Log>();
  readonly #files = new Map<string, Blob>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(options: FakeOptions = {}) {
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
    this.#logs.clear();
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
    return [...this.#logs.values()].map((log) => log.conversation);
  }

  conversationWith(userId: UserId): ConversationId {
    return directConversation(ME, userId);
  }

  conversationOf(groupId: GroupId): ConversationId {
    return groupId;
  }

  async history(id: ConversationId, place: HistoryPlace, limit = 50): Promise<HistoryPage> {
    await this.pause();
    const all = this.#logs.get(id)?.entries ?? [];
    const found = all.findIndex((one) => "seq" in place && one.seq >= place.seq);
    const index = found < 0 ? all.length : found;
    const from =
      place.at === "after" ? index + 1 : place.at === "around" ? index - limit / 2 : index - limit;
    const start = Math.max(0, Math.floor(from));
    const end = place.at === "before" ? index : Math.min(all.length, start + limit);
    return {
      entries: all.slice(start, end),
      hasOlder: start > 0,
      hasNewer: end < all.length,
    };
  }

  async entry(id: ConversationId, seq: number): Promise<Entry | undefined> {
    await this.pause();
    return this.#logs.get(id)?.entries.find((one) => one.seq === seq);
  }

  markRead(id: ConversationId, seq: number): void {
    const log = this.#logs.get(id);
    if (log === undefined || seq <= log.conversation.readSeq) return;
    const unread = log.entries.filter((one) => one.seq > seq && !one.isOwn).length;
    this.#change(log, { readSeq: seq, unread, isMentioned: unread > 0 && log.conversation.isMentioned });
  }

  typing(): void {
    // Nobody looks.
  }

  setDraft(id: ConversationId, draft: string): void {
    this.#change(this.#log(id), { draft });
  }

  setPinned(id: ConversationId, isPinned: boolean): void {
    this.#change(this.#log(id), { isPinned });
  }

  setMuted(id: ConversationId, isMuted: boolean): void {
    this.#change(this.#log(id), { isMuted });
  }

  // ---- messages --------------------------------------------------------------------------------

  async send(id: ConversationId, draft: Draft): Promise<Message> {
    const message = makeMessage(id, 0, ME, draft, Date.now(), "sending");
    const log = this.#log(id);
    this.#put(log, message);
    this.#transmit(log, message);
    return message;
  }

  async retry(id: ConversationId, key: string): Promise<void> {
    const log = this.#log(id);
    const message = log.entries.find((one) => one.key === key);
    if (message?.is !== "message" || message.state !== "failed") return;
    const again: Message = { ...message, state: "sending", error: undefined };
    this.#put(log, again);
    this.#later(this.#delayMs * 4, () => this.#commit(log, again));
  }

  async discard(id: ConversationId, key: string): Promise<void> {
    const log = this.#log(id);
    log.entries = log.entries.filter((one) => one.key !== key);
    this.events.emit("entryRemoved", { conversationId: id, key });
    this.#change(log, { last: log.entries.at(-1) });
  }

  async recall(id: ConversationId, seq: number): Promise<void> {
    await this.pause();
    const log = this.#log(id);
    const message = log.entries.find((one) => one.seq === seq);
    if (message?.is !== "message") throw new ChatError(ErrorCode.MESSAGE_NOT_FOUND);
    if (Date.now() - message.sentAtMs > 120_000) throw new ChatError(ErrorCode.RECALL_TOO_LATE);
    this.#put(log, recalled(message));
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
    this.#change(this.#log(this.conversationWith(userId)), { name: remark || nickname });
  }

  override async createGroup(
    name: string,
    joinPolicy: JoinPolicy,
    invite: readonly UserId[],
  ): Promise<GroupId> {
    const groupId = await super.createGroup(name, joinPolicy, invite);
    const body = { ...NO_NOTICE, groupId, name, joinPolicy };
    this.#put(this.#log(groupId), makeNotice(groupId, 1, ME, Kind.GROUP_CREATED, body, Date.now()));
    return groupId;
  }

  override async updateGroup(groupId: GroupId, change: GroupChange): Promise<void> {
    await super.updateGroup(groupId, change);
    if (change.name !== undefined) this.#change(this.#log(groupId), { name: change.name });
  }

  async deleteAccount(_password: string, confirmUserId: UserId): Promise<void> {
    await this.pause();
    if (confirmUserId !== ME) throw new ChatError(ErrorCode.NOT_CONFIRMED);
    await this.logOut();
  }

  // ---- what happens by itself, for tests too ---------------------------------------------------

  /** Somebody writes. */
  arrive(id: ConversationId, senderId: UserId, text: string): Message {
    const log = this.#log(id);
    const message = makeMessage(id, nextSeq(log), senderId, { text }, Date.now(), "sent");
    this.#put(log, message, true);
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
    if (this.#logs.size === 0) this.#fill();
    this.events.emit("account", this.account);
    this.#connect({ state: "connecting", attempt: 1 });
    this.#later(this.#delayMs, () => this.#connect(ONLINE));
    return this.account;
  }

  #fill(): void {
    const counts: readonly (readonly [ConversationId, readonly UserId[], number])[] = [
      [this.conversationWith("10002"), ["10002"], this.#options.messages ?? 400],
      ["20001", ["10002", "10003", "10004", "10005"], 120],
      [this.conversationWith("10003"), ["10003"], 24],
      ["20002", ["10002", "10007", "10009"], 60],
      [this.conversationWith("10009"), ["10009"], 6],
      [this.conversationWith("10000"), ["10000"], 1],
      [this.conversationWith(ME), [ME], 3],
      ["20003", ["10003"], 0],
    ];
    counts.forEach(([id, people, count], index) => this.#fillOne(id, people, count, index));
  }

  #fillOne(id: ConversationId, people: readonly UserId[], count: number, age: number): void {
    const log = this.#log(id);
    const end = Date.now() - age * 5_400_000;
    for (let seq = 1; seq <= count; seq++) {
      const senderId = seq % 3 === 0 ? ME : (people[seq % people.length] ?? ME);
      const text = LINES[(seq * 7 + age) % LINES.length] ?? "";
      // A few minutes within a talk, some hours between two.
      const gapMs = (count - seq) * 120_000 + Math.floor((count - seq) / 9) * 9_000_000;
      log.entries.push(makeMessage(id, seq, senderId, { text }, end - gapMs, "sent"));
    }
    const unread = age === 1 ? 5 : age === 3 ? 120 : 0;
    this.#change(log, {
      last: log.entries.at(-1),
      lastActiveAtMs: end,
      headSeq: count,
      untilSeq: count,
      sinceSeq: Math.min(1, count),
      unread: Math.min(unread, count),
      isMentioned: age === 1,
      isMuted: age === 3,
      isPinned: age === 2,
      draft: age === 4 ? "还没写完的" : "",
      readSeq: Math.max(0, count - unread),
      peerReadSeq: count - 4,
      peerDeliveredSeq: count - 2,
    });
  }

  #log(id: ConversationId): Log {
    const known = this.#logs.get(id);
    if (known !== undefined) return known;
    const log: Log = { entries: [], conversation: this.#emptyConversation(id) };
    this.#logs.set(id, log);
    return log;
  }

  #emptyConversation(conversationId: ConversationId): Conversation {
    const type = conversationType(conversationId);
    const peerId = peerOf(conversationId, ME);
    const contact = this.contactList.find((one) => one.userId === peerId);
    const group = this.groupList.find((one) => one.groupId === conversationId);
    const person = PEOPLE.find((one) => one.id === peerId)?.nickname ?? "";
    return {
      conversationId,
      type,
      peerId,
      groupId: type === "group" ? conversationId : "",
      name: group?.name ?? (contact?.remark || person),
      lastActiveAtMs: 0,
      unread: 0,
      isMentioned: false,
      draft: "",
      isPinned: false,
      isMuted: false,
      headSeq: 0,
      sinceSeq: 0,
      untilSeq: 0,
      readSeq: 0,
      peerReadSeq: 0,
      peerDeliveredSeq: 0,
    };
  }

  #put(log: Log, entry: Entry, isFresh = false): void {
    const index = log.entries.findIndex((one) => one.key === entry.key);
    if (index >= 0) log.entries[index] = entry;
    else log.entries.push(entry);
    const headSeq = Math.max(log.conversation.headSeq, entry.seq);
    this.events.emit("entries", { conversationId: entry.conversationId, entries: [entry], isFresh });
    this.#change(log, {
      last: log.entries.at(-1),
      lastActiveAtMs: Math.max(log.conversation.lastActiveAtMs, entry.sentAtMs),
      headSeq,
      untilSeq: headSeq,
      unread: log.conversation.unread + (isFresh ? 1 : 0),
      readSeq: entry.isOwn ? headSeq : log.conversation.readSeq,
    });
  }

  #transmit(log: Log, message: Message): void {
    const text = message.content.text;
    if (text.startsWith("/drop")) this.drop();
    if (text.startsWith("/kick")) this.kick();
    if (text.startsWith("/fail")) {
      const error = new ChatError(ErrorCode.NOT_FRIENDS);
      this.#later(this.#delayMs * 4, () => this.#put(log, { ...message, state: "failed", error }));
      return;
    }
    const delayMs = text.startsWith("/slow") ? 3_000 : this.#delayMs * 2;
    this.#later(delayMs, () => this.#commit(log, message));
  }

  #commit(log: Log, message: Message): void {
    if (this.connection.state !== "online") {
      this.#later(200, () => this.#commit(log, message));
      return;
    }
    const seq = nextSeq(log);
    this.#put(log, { ...message, state: "sent", seq, sentAtMs: Date.now() });
    if (log.conversation.type !== "direct") return;
    this.#later(this.#delayMs * 4, () => this.#change(log, { peerDeliveredSeq: seq }));
    this.#later(this.#delayMs * 10, () => this.#change(log, { peerReadSeq: seq }));
    if (this.#options.answers ?? true) this.#answer(log, message);
  }

  #answer(log: Log, message: Message): void {
    const { conversationId, peerId } = log.conversation;
    const text = message.content.text;
    if (text.startsWith("/recall")) {
      const theirs = log.entries.findLast((one) => one.senderId === peerId && one.is === "message");
      if (theirs?.is === "message") this.#put(log, recalled(theirs));
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

  #change(log: Log, change: Partial<Conversation>): void {
    log.conversation = { ...log.conversation, ...change };
    this.events.emit("conversations", [log.conversation]);
  }

  #connect(connection: Connection): void {
    this.connection = connection;
    this.events.emit("connection", connection);
  }

  protected pause(): Promise<void> {
    return new Promise((resolve) => this.#later(this.#delayMs, resolve));
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

const NO_NOTICE: NoticeBody = {
  userIds: [],
  groupId: "",
  targetSeq: 0,
  name: "",
  note: "",
  role: "none",
  joinPolicy: "approval",
  announcement: "",
};

function nextSeq(log: Log): number {
  return log.conversation.headSeq + 1;
}

function makeMessage(
  conversationId: ConversationId,
  seq: number,
  senderId: UserId,
  draft: Draft,
  sentAtMs: number,
  state: Message["state"],
): Message {
  const { text, kind = Kind.TEXT, quote, mentions = [], mentionsAll = false, media } = draft;
  return {
    is: "message",
    key: seq === 0 ? `m${toHex(newId())}` : `s${seq}`,
    conversationId,
    seq,
    kind,
    senderId,
    isOwn: senderId === ME,
    sentAtMs,
    content: { text, quote, mentions, mentionsAll, media },
    state,
  };
}

function makeNotice(
  conversationId: ConversationId,
  seq: number,
  senderId: UserId,
  kind: number,
  notice: NoticeBody,
  sentAtMs: number,
): Entry {
  const isOwn = senderId === ME;
  const key = `s${seq}`;
  return { is: "notice", key, conversationId, seq, kind, senderId, isOwn, sentAtMs, notice };
}

function recalled(message: Message): Message {
  const recalledText = message.isOwn ? message.content.text : undefined;
  const content = { text: "", mentions: [], mentionsAll: false };
  return { ...message, kind: Kind.RECALLED, content, recalledText };
}
