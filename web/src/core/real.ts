/** The client that talks to a server: log-in, link and mailbox of whoever is logged in. */

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import type {
  Account,
  ChatClient,
  ChatEvents,
  Connection as ConnectionState,
  Contact,
  Conversation,
  ConversationId,
  Draft,
  Entry,
  FileFacts,
  FileLimits,
  FileRef,
  Group,
  GroupId,
  HistoryPage,
  HistoryPlace,
  KickReason,
  Message,
  Profile,
  ProfileChange,
  Registered,
  Unsubscribe,
  UserId,
} from "./api";
import { Connection } from "./connection";
import type { ConversationRow } from "./conversations";
import { Credentials, type WebSession } from "./credentials";
import { Directory, pageOf } from "./directory";
import { Emitter } from "./emitter";
import { Files } from "./files";
import { ChatError, ErrorCode, asChatError } from "./errors";
import { conversationType, directConversation, newId, peerOf } from "./ids";
import { Link } from "./link";
import { Log } from "./log";
import { Mailbox } from "./mailbox";
import { People } from "./people";
import type { Store } from "./store";
import { Request, type RequestKind } from "./wire/packets";

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

const DOOR_TIMEOUT_MS = 30_000;
const LAST_ACCOUNT = "tinyqq.account";
/** Somebody ended this log-in on purpose: what was kept here must not stay readable. */
const WIPING: ReadonlySet<KickReason> = new Set(["revoked", "accountDeleted", "loggedOut"]);

/** What there is while somebody is logged in. */
interface Visit {
  readonly link: Link;
  readonly log: Log;
  readonly mailbox: Mailbox;
}

export class RealChatClient extends People implements ChatClient {
  account: Account | null = null;
  connection: ConnectionState = { state: "none" };
  readonly canUpload = true;
  readonly #surroundings: Surroundings;
  readonly #events = new Emitter<ChatEvents>();
  readonly #directory: Directory;
  readonly #credentials: Credentials;
  readonly #files: Files;
  readonly #unnamed = new Set<ConversationId>();
  readonly #changed = new Set<ConversationId>();
  #visit: Visit | undefined;

  constructor(surroundings: Surroundings) {
    super((kind, init) => this.#ask(kind, init));
    this.#surroundings = surroundings;
    const { origin, fetch, memory } = surroundings;
    this.#directory = new Directory(origin, fetch, memory);
    this.#credentials = new Credentials(origin, fetch, {
      onSession: (session) => this.#confirmed(session),
      memory,
    });
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
    const account = this.#lastAccount();
    if (account === undefined) {
      // Not waited for: the door is open meanwhile.
      void this.#credentials.finishLogOut().catch(() => undefined);
      return null;
    }
    // What was here is shown at once; whether the log-in is still good the link finds out.
    return this.#enter(account);
  }

  async register(nickname: string, password: string, inviteCode = ""): Promise<Registered> {
    const request = { operationId: newId(), nickname, password, inviteCode };
    const { userId, recoveryCode } = await this.#askAtDoor(Request.REGISTER, request);
    return { userId, recoveryCode };
  }

  async logIn(userId: UserId, password: string): Promise<Account> {
    const { deviceName } = this.#surroundings;
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
    const request = { userId, recoveryCode, newPassword };
    return (await this.#askAtDoor(Request.RECOVER_PASSWORD, request)).recoveryCode;
  }

  reconnect(): void {
    this.#visit?.link.reconnect();
  }

  // ---- conversations ---------------------------------------------------------------------------

  async conversations(): Promise<readonly Conversation[]> {
    return this.#visit?.mailbox.conversations() ?? [];
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
    return this.#mailbox.send(id, draft, clientMessageId);
  }

  async retry(id: ConversationId, key: string): Promise<void> {
    await this.#mailbox.retry(id, key);
  }

  async discard(id: ConversationId, key: string): Promise<void> {
    await this.#mailbox.discard(id, key);
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
    return this.#mailbox.sendFile(id, file, { name, facts }, clientMessageId);
  }

  async fileLimits(): Promise<FileLimits> {
    return this.#files.limits();
  }

  async fetchFile(ref: FileRef): Promise<Blob> {
    return this.#files.fetchFile(ref);
  }

  // ---- people and groups, where something is kept ----------------------------------------------

  override async contacts(): Promise<readonly Contact[]> {
    return this.#kept("contacts", () => super.contacts());
  }

  override async groups(): Promise<readonly Group[]> {
    return this.#kept("groups", () => super.groups());
  }

  override async updateProfile(change: ProfileChange): Promise<Profile> {
    const profile = await super.updateProfile(change);
    if (this.account !== null) this.#setAccount({ ...this.account, nickname: profile.nickname });
    return profile;
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

  /** What *ask* answers; while there is no connection what it answered last. */
  async #kept<Result>(name: string, ask: () => Promise<Result>): Promise<Result> {
    const log = this.#visit?.log;
    if (this.connection.state !== "online") {
      const last = await log?.kept(name);
      // Kept below under this name, so it is of this type.
      if (last !== undefined) return last as Result;
    }
    const result = await ask();
    void log?.keep(name, result);
    return result;
  }

  // ---- asking ----------------------------------------------------------------------------------

  get #mailbox(): Mailbox {
    if (this.#visit === undefined) throw new ChatError(ErrorCode.NOT_LOGGED_IN);
    return this.#visit.mailbox;
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
    if (this.#visit === undefined) throw new ChatError(ErrorCode.NOT_LOGGED_IN);
    return this.#visit.link.call(kind, init);
  }

  /** Ask something that needs no log-in, on a connection of its own; once more when that breaks. */
  async #askAtDoor<Q extends DescMessage, A extends DescMessage>(
    kind: RequestKind<Q, A>,
    init: MessageInitShape<Q>,
  ): Promise<MessageShape<A>> {
    try {
      return await this.#askOnce(kind, init);
    } catch (error) {
      const isRepeatable = kind.type === Request.REGISTER.type;
      if (!isRepeatable || asChatError(error).code !== ErrorCode.CONNECTION_LOST) throw error;
      return this.#askOnce(kind, init);
    }
  }

  async #askOnce<Q extends DescMessage, A extends DescMessage>(
    kind: RequestKind<Q, A>,
    init: MessageInitShape<Q>,
  ): Promise<MessageShape<A>> {
    const { agent, language } = this.#surroundings;
    const { urls } = await this.#directory.ways();
    let error: unknown = new ChatError(ErrorCode.CONNECTION_LOST);
    for (const url of urls) {
      try {
        const nothing = () => undefined;
        const options = { agent, language, onPush: nothing, onMissed: nothing };
        const connection = await Connection.open(url, options);
        try {
          return await connection.request(kind, init, DOOR_TIMEOUT_MS);
        } finally {
          connection.close();
        }
      } catch (reason) {
        error = reason;
        if (asChatError(reason).code !== ErrorCode.CONNECTION_LOST) break;
      }
    }
    throw error;
  }

  // ---- who is here -----------------------------------------------------------------------------

  async #enter({ userId, nickname, mustChangePassword }: Account): Promise<Account> {
    const before = this.#leave();
    await before?.log.close();
    const log = new Log(this.#surroundings.openStore(userId), (row) => this.#rowChanged(row));
    await log.open();
    const mailbox = new Mailbox({
      me: userId,
      log,
      call: (kind, init) => link.call(kind, init),
      files: this.#files,
      events: this.#events,
      onSynced: () => this.#synced(),
    });
    const link = new Link({
      userId,
      credentials: this.#credentials,
      directory: this.#directory,
      agent: this.#surroundings.agent,
      language: this.#surroundings.language,
      user: {
        onUp: (connection) => {
          mailbox.onUp(connection);
          this.#events.emit("contactsChanged", null);
        },
        onDown: () => mailbox.onDown(),
        onPush: (push) => mailbox.onPush(push),
        onMissed: () => mailbox.catchUp(),
        onState: (state) => this.#linkChanged(state),
      },
    });
    this.#visit = { link, log, mailbox };
    const account = { userId, nickname, mustChangePassword };
    this.#setAccount(account);
    const conversations = mailbox.conversations();
    if (conversations.length > 0) this.#events.emit("conversations", conversations);
    link.start();
    return account;
  }

  #leave(): Visit | undefined {
    const visit = this.#visit;
    this.#visit = undefined;
    this.#unnamed.clear();
    visit?.mailbox.stop();
    visit?.link.stop();
    return visit;
  }

  async #wipe(): Promise<void> {
    this.#surroundings.memory.removeItem(LAST_ACCOUNT);
    const visit = this.#leave();
    await visit?.log.destroy();
  }

  #linkChanged(state: ConnectionState): void {
    this.#setConnection(state);
    if (state.state === "kicked" && state.reason !== "replaced") {
      this.#credentials.forget();
      this.#surroundings.memory.removeItem(LAST_ACCOUNT);
      if (WIPING.has(state.reason)) void this.#wipe();
    } else if (state.state === "ended" && state.error.errorClass === 2) {
      this.#surroundings.memory.removeItem(LAST_ACCOUNT);
      if (state.error.code !== ErrorCode.TOKEN_EXPIRED) void this.#wipe();
    }
  }

  #synced(): void {
    if (this.connection.state === "online" && this.connection.isSyncing) {
      this.#setConnection({ ...this.connection, isSyncing: false });
    }
  }

  #rowChanged(row: ConversationRow): void {
    // Many change at once, when one comes back: they are told together.
    if (this.#changed.size === 0) setTimeout(() => this.#tellChanged(), 0);
    this.#changed.add(row.conversationId);
    if (row.name === "" && !this.#unnamed.has(row.conversationId)) void this.#name(row);
  }

  #tellChanged(): void {
    const { log, mailbox } = this.#visit ?? {};
    const rows = [...this.#changed].flatMap((id) => log?.row(id) ?? []);
    this.#changed.clear();
    if (mailbox === undefined || rows.length === 0) return;
    this.#events.emit("conversations", rows.map((row) => mailbox.conversation(row)));
  }

  /** A conversation that came by a push has no name yet. */
  async #name({ conversationId }: ConversationRow): Promise<void> {
    const { log } = this.#visit ?? {};
    this.#unnamed.add(conversationId);
    try {
      const isGroup = conversationType(conversationId) === "group";
      const peer = peerOf(conversationId, this.account?.userId ?? "");
      const name = isGroup
        ? (await this.group(conversationId)).name
        : (await this.profile(peer)).nickname;
      log?.change(conversationId, (row) => (row.name === "" ? { ...row, name } : row));
    } catch (error) {
      asChatError(error); // it is shown by its number
    }
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
    if (account !== null) {
      this.#surroundings.memory.setItem(LAST_ACCOUNT, JSON.stringify(account));
    }
    this.#events.emit("account", account);
  }

  #setConnection(connection: ConnectionState): void {
    this.connection = connection;
    this.#events.emit("connection", connection);
  }

  #lastAccount(): Account | undefined {
    try {
      const saved: unknown = JSON.parse(this.#surroundings.memory.getItem(LAST_ACCOUNT) ?? "null");
      const { userId, nickname } = saved as Partial<Account>;
      if (typeof userId !== "string" || typeof nickname !== "string") return undefined;
      return { userId, nickname, mustChangePassword: false };
    } catch {
      return undefined;
    }
  }
}
