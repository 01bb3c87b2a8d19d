/** The client that talks to a server: log-in, link and mailbox of whoever is logged in. */

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import type { ChatClient, ChatEvents, Unsubscribe } from "./api";
import { Credentials, type WebSession } from "./credentials";
import { Directory, pageOf } from "./directory";
import { Door } from "./door";
import { Emitter } from "./emitter";
import { ChatError, ErrorClass, ErrorCode } from "./errors";
import { Files } from "./files";
import {
  conversationType,
  directConversation,
  peerOf,
  type ConversationId,
  type GroupId,
  type UserId,
} from "./ids";
import { LastAccount } from "./last_account";
import type { Mailbox } from "./mailbox";
import type { Connection as ConnectionState, KickReason } from "./model/connection";
import type { Conversation, HistoryPage, HistoryPlace } from "./model/conversations";
import type { Draft, Entry, Message } from "./model/entries";
import type { FileFacts, FileLimits, FileRef, OwnFiles } from "./model/files";
import type { Group } from "./model/groups";
import type { Account, Contact, Profile, ProfileChange, Registered } from "./model/people";
import { People } from "./people";
import type { Store } from "./store";
import { Visit } from "./visit";
import type { RequestKind } from "./wire/packets";

/** What a client needs of where it runs. */
export interface Surroundings {
  /** Of the page: `http://host:port`. */
  readonly origin: string;
  readonly fetch: typeof fetch;
  /** BCP 47 tag, for texts that the server writes. */
  readonly language: string;
  /** Shown in the list of devices. */
  readonly deviceName: string;
  /** The program's name and version, for logs. */
  readonly agent: string;
  /** Remembers who was here last: no secret. */
  readonly memory: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly openStore: (userId: UserId) => Store;
}

/** Somebody ended this log-in on purpose: what was kept here must not stay readable. */
const WIPING: ReadonlySet<KickReason> = new Set(["revoked", "accountDeleted", "loggedOut"]);

/** One per browser, in the tab that leads; the others ask it through {@link openTabs}. */
export class RealChatClient extends People implements ChatClient {
  account: Account | null = null;
  connection: ConnectionState = { state: "none" };
  readonly canUpload = true;
  readonly #surroundings: Surroundings;
  readonly #events = new Emitter<ChatEvents>();
  readonly #directory: Directory;
  readonly #door: Door;
  readonly #credentials: Credentials;
  readonly #files: Files;
  readonly #lastAccount: LastAccount;
  #visit: Visit | undefined;
  /** Counts who came and went: of two who come in at once the later stays. */
  #turn = 0;

  constructor(surroundings: Surroundings) {
    super((kind, init) => this.#ask(kind, init));
    this.#surroundings = surroundings;
    const { origin, fetch, memory, agent, language } = surroundings;
    this.#lastAccount = new LastAccount(memory);
    this.#directory = new Directory(origin, fetch, memory);
    this.#door = new Door({ directory: this.#directory, agent, language });
    this.#credentials = new Credentials(origin, fetch, {
      onSession: (session) => this.#confirmed(session),
      memory,
    });
    this.#events.on("profileChanged", (face) => this.#noted(face));
    this.#files = new Files(origin, fetch, this.#credentials, () => this.#elsewhere());
  }

  on<Name extends keyof ChatEvents>(
    name: Name,
    handler: (event: ChatEvents[Name]) => void,
  ): Unsubscribe {
    return this.#events.on(name, handler);
  }

  close(): void {
    this.#events.clear();
    const visit = this.#leave();
    void visit?.log.close();
  }

  // ---- coming in -------------------------------------------------------------------------------

  async resume(): Promise<Account | null> {
    const account = this.#lastAccount.find();
    if (account === undefined) {
      // Not waited for: the door is open meanwhile.
      void this.#credentials.finishLogOut().catch(() => undefined);
      return null;
    }
    // What was here is shown at once; whether the log-in is still good the link finds out.
    return this.#enter(account);
  }

  async register(nickname: string, password: string, inviteCode = ""): Promise<Registered> {
    return this.#door.register(nickname, password, inviteCode);
  }

  async logIn(userId: UserId, password: string): Promise<Account> {
    const { deviceName } = this.#surroundings;
    this.#directory.prepare();
    const session = await this.#credentials.logIn(userId, password, deviceName);
    return this.#enter(session);
  }

  async logOut(): Promise<void> {
    await this.#credentials.logOut().catch(() => undefined);
    await this.#wipe();
    this.#setAccount(null);
    this.#setConnection({ state: "none" });
  }

  async recoverPassword(
    userId: UserId,
    recoveryCode: string,
    newPassword: string,
  ): Promise<string> {
    return this.#door.recoverPassword(userId, recoveryCode, newPassword);
  }

  reconnect(): void {
    this.#visit?.link.reconnect();
  }

  // ---- conversations ---------------------------------------------------------------------------

  async conversations(): Promise<readonly Conversation[]> {
    const visit = this.#visit;
    const found = (await visit?.conversations()) ?? [];
    return visit === this.#visit ? found : [];
  }

  conversationWith(userId: UserId): ConversationId {
    return directConversation(this.account?.userId ?? userId, userId);
  }

  conversationOf(groupId: GroupId): ConversationId {
    return groupId;
  }

  async history(id: ConversationId, place: HistoryPlace, limit?: number): Promise<HistoryPage> {
    return this.#mailbox.history(id, place, limit);
  }

  async entry(id: ConversationId, seq: number): Promise<Entry | undefined> {
    return this.#mailbox.entry(id, seq);
  }

  markRead(id: ConversationId, seq: number): void {
    void this.#visit?.mailbox.markRead(id, seq);
  }

  typing(id: ConversationId): void {
    this.#visit?.mailbox.typing(id);
  }

  setDraft(id: ConversationId, draft: string): void {
    this.#visit?.mailbox.note(id, { draft });
  }

  setPinned(id: ConversationId, isPinned: boolean): void {
    this.#visit?.mailbox.note(id, { isPinned });
  }

  setMuted(id: ConversationId, isMuted: boolean): void {
    this.#visit?.mailbox.note(id, { isMuted });
  }

  // ---- messages --------------------------------------------------------------------------------

  /** @param clientMessageId 32 hex digits, the same for a repeat of one wish. */
  async send(id: ConversationId, draft: Draft, clientMessageId?: string): Promise<Message> {
    return this.#mailbox.own.send(id, draft, clientMessageId);
  }

  async retry(id: ConversationId, key: string): Promise<void> {
    await this.#mailbox.own.retry(id, key);
  }

  async discard(id: ConversationId, key: string): Promise<void> {
    await this.#mailbox.own.discard(id, key);
  }

  async recall(id: ConversationId, seq: number): Promise<void> {
    await this.#mailbox.recall(id, seq);
  }

  /** @param clientMessageId as for {@link send}. */
  async sendFile(
    id: ConversationId,
    file: Blob,
    name: string,
    facts?: FileFacts,
    clientMessageId?: string,
  ): Promise<Message> {
    return this.#mailbox.own.sendFile(id, file, { name, facts }, clientMessageId);
  }

  async fileLimits(): Promise<FileLimits> {
    return this.#files.limits();
  }

  async fetchFile(ref: FileRef): Promise<Blob> {
    return this.#files.fetchFile(ref);
  }

  async ownFiles(after?: string): Promise<OwnFiles> {
    return this.#files.own(after);
  }

  async deleteFile(blobId: string): Promise<void> {
    await this.#files.delete(blobId);
  }

  // ---- people and groups, where something is kept ----------------------------------------------

  override async contacts(): Promise<readonly Contact[]> {
    const contacts = await this.#here.kept("contacts", () => super.contacts());
    // What they are called now may not have been told: this device was away.
    this.#visit?.mailbox.name(contacts);
    return contacts;
  }

  override async groups(): Promise<readonly Group[]> {
    return this.#here.kept("groups", () => super.groups());
  }

  override async profile(userId: UserId): Promise<Profile> {
    return this.#noted(await super.profile(userId));
  }

  override async updateProfile(change: ProfileChange): Promise<Profile> {
    return this.#noted(await super.updateProfile(change));
  }

  /** One's own name may have changed on another device. */
  #noted<Face extends Pick<Profile, "userId" | "nickname">>(face: Face): Face {
    const { account } = this;
    if (account?.userId === face.userId && account.nickname !== face.nickname) {
      this.#setAccount({ ...account, nickname: face.nickname });
    }
    return face;
  }

  async setAvatar(picture: Blob): Promise<Profile> {
    const { blobId } = await this.#files.upload(picture);
    return this.updateProfile({ avatar: blobId });
  }

  override async setRemark(userId: UserId, remark: string): Promise<void> {
    await super.setRemark(userId, remark);
    this.#visit?.log.change(this.conversationWith(userId), (row) => ({ ...row, remark }));
    this.#events.emit("contactsChanged", null);
  }

  override async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    await super.changePassword(oldPassword, newPassword);
    if (this.account === null) return;
    this.#setAccount({ ...this.account, mustChangePassword: false });
    // Until a password that must be changed is changed, nothing else is answered.
    this.#visit?.mailbox.catchUp();
  }

  override async deleteAccount(password: string, confirmUserId: UserId): Promise<void> {
    await super.deleteAccount(password, confirmUserId);
    await this.logOut();
  }

  // ---- asking ----------------------------------------------------------------------------------

  get #here(): Visit {
    if (this.#visit === undefined) throw new ChatError(ErrorCode.NOT_LOGGED_IN);
    return this.#visit;
  }

  get #mailbox(): Mailbox {
    return this.#here.mailbox;
  }

  /** The unit to which the link leads, when it is not the one that the page came from. */
  #elsewhere(): string | undefined {
    const url = this.#visit?.link.connection?.url;
    const page = url === undefined ? undefined : pageOf(url);
    return page === this.#surroundings.origin ? undefined : page;
  }

  async #ask<Q extends DescMessage, A extends DescMessage>(
    kind: RequestKind<Q, A>,
    init: MessageInitShape<Q>,
  ): Promise<MessageShape<A>> {
    return this.#here.link.call(kind, init);
  }

  // ---- who is here -----------------------------------------------------------------------------

  async #enter({ userId, nickname, mustChangePassword }: Account): Promise<Account> {
    const before = this.#leave();
    const turn = this.#turn;
    await before?.log.close();
    const { openStore, agent, language } = this.#surroundings;
    const visit = await Visit.open({
      me: userId,
      store: openStore(userId),
      credentials: this.#credentials,
      directory: this.#directory,
      files: this.#files,
      events: this.#events,
      agent,
      language,
      nameOf: (id) => this.#nameOf(id),
      onState: (state) => this.#linkChanged(state),
      onSynced: () => this.#synced(),
    });
    if (turn !== this.#turn) {
      // Logged out, or closed, while the log was read.
      visit.stop();
      await visit.log.close();
      throw new ChatError(ErrorCode.NOT_LOGGED_IN);
    }
    this.#visit = visit;
    const account = { userId, nickname, mustChangePassword };
    this.#setAccount(account);
    const conversations = visit.mailbox.conversations();
    if (conversations.length > 0) this.#events.emit("conversations", conversations);
    visit.link.start();
    return account;
  }

  #leave(): Visit | undefined {
    this.#turn += 1;
    const visit = this.#visit;
    this.#visit = undefined;
    visit?.stop();
    return visit;
  }

  async #wipe(): Promise<void> {
    this.#lastAccount.forget();
    const visit = this.#leave();
    await visit?.log.destroy();
  }

  #linkChanged(state: ConnectionState): void {
    this.#setConnection(state);
    if (state.state === "kicked" && state.reason !== "replaced") {
      this.#credentials.forget();
      this.#lastAccount.forget();
      if (WIPING.has(state.reason)) void this.#wipe();
    } else if (state.state === "ended" && state.error.errorClass === ErrorClass.UNAUTHENTICATED) {
      this.#lastAccount.forget();
      if (state.error.code !== ErrorCode.TOKEN_EXPIRED) void this.#wipe();
    }
  }

  #synced(): void {
    if (this.connection.state === "online" && this.connection.isSyncing) {
      this.#setConnection({ ...this.connection, isSyncing: false });
    }
  }

  async #nameOf(id: ConversationId): Promise<string> {
    if (conversationType(id) === "group") return (await this.group(id)).name;
    return (await this.profile(peerOf(id, this.account?.userId ?? ""))).nickname;
  }

  /** The server's word about who is logged in, which may be newer than what was remembered. */
  #confirmed({ userId, nickname, mustChangePassword }: WebSession): void {
    const known = this.account;
    if (known === null || known.userId !== userId) return;
    if (known.nickname === nickname && known.mustChangePassword === mustChangePassword) return;
    this.#setAccount({ userId, nickname, mustChangePassword });
  }

  #setAccount(account: Account | null): void {
    this.account = account;
    if (account !== null) this.#lastAccount.remember(account);
    this.#events.emit("account", account);
  }

  #setConnection(connection: ConnectionState): void {
    this.connection = connection;
    this.#events.emit("connection", connection);
  }
}
