/**
 * One client for all tabs of a browser: the tab that leads has the real one, the others ask it over
 * a channel and hear what happens.
 */

import type { ChatClient, ChatEvents, Unsubscribe } from "./api";
import type { Election } from "./election";
import { Emitter } from "./emitter";
import { ChatError, ErrorCode, asChatError } from "./errors";
import {
  directConversation,
  newId,
  toHex,
  type ConversationId,
  type GroupId,
  type UserId,
} from "./ids";
import type { Connection } from "./model/connection";
import type { Account } from "./model/people";
import { pack, unpack } from "./packing";

type Methods = {
  [Name in keyof ChatClient as ChatClient[Name] extends (...values: never[]) => unknown
    ? Name
    : never]: ChatClient[Name];
};
type Local = "on" | "close" | "conversationWith" | "conversationOf";
/** What the tab that leads does for the others. */
type Asked = Omit<Methods, Local>;

/** May be asked again when the tab that was asked is gone: it only reads, or is done once. */
const REPEATABLE = [
  "resume", "conversations", "history", "entry", "send", "sendFile", "fileLimits", "fetchFile",
  "profile", "searchUsers", "contacts", "groups", "group", "members", "joinRequests", "invitations",
  "devices", "ownFiles",
] as const; // prettier-ignore

const ONCE = [
  "register", "logIn", "logOut", "recoverPassword", "retry", "discard", "recall",
  "updateProfile", "setAvatar", "deleteFile", "requestFriend", "answerFriend", "deleteFriend", "setBlocked", "setRemark",
  "createGroup", "joinGroup", "answerJoin", "inviteMember", "leaveGroup", "removeMember",
  "setRole", "transferGroup", "dismissGroup", "updateGroup", "setCard", "revokeDevice",
  "changePassword", "deleteAccount",
] as const; // prettier-ignore

/** Without an answer; nobody waits for it, and nobody hears that it failed. Said again as those above. */
const TOLD = ["reconnect", "markRead", "typing", "setDraft", "setPinned", "setMuted"] as const;

type Repeatable = (typeof REPEATABLE)[number];
type Name = Repeatable | (typeof ONCE)[number] | (typeof TOLD)[number];
/** Does not compile when a method of ChatClient is in none of the lists, or one is too many. */
const NAMES: readonly ([keyof Asked] extends [Name] ? Name & keyof Asked : never)[] = [
  ...REPEATABLE,
  ...ONCE,
  ...TOLD,
];

const EVENTS: readonly (keyof ChatEvents)[] = [
  "connection", "account", "conversations", "conversationRemoved", "entries", "told", "entryRemoved",
  "conversationsReset", "upload", "typing", "presence", "contactsChanged", "groupsChanged", "profileChanged",
  "joinRequestsChanged",
]; // prettier-ignore

/** What tabs say to each other. Values are packed. */
type Said =
  | { readonly is: "call"; readonly tab: string; readonly id: number; readonly name: Name; readonly values: unknown }
  | { readonly is: "answer"; readonly tab: string; readonly id: number; readonly value?: unknown; readonly error?: unknown }
  | { readonly is: "event"; readonly name: keyof ChatEvents; readonly event: unknown }
  /** Who leads, and how things stand: to a tab that came, and at a change. */
  | { readonly is: "state"; readonly leader: string; readonly account: Account | null; readonly connection: unknown }
  | { readonly is: "hello" };

interface Pending {
  readonly name: Name;
  readonly values: readonly unknown[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: ChatError) => void;
}

export interface TabsOptions {
  readonly election: Election;
  /** Undefined: this tab is alone. */
  readonly channel: BroadcastChannel | undefined;
  /** Makes the real client; called when this tab leads. */
  readonly open: () => ChatClient;
  /** Tells this tab from others. */
  readonly tab?: string;
}

/** The part that is not the same for every method; {@link openTabs} adds the others. */
class Tabs {
  account: Account | null = null;
  connection: Connection = { state: "none" };
  /** The tab that leads uploads and fetches for all: files are handed over without being copied. */
  readonly canUpload = true;
  readonly #options: TabsOptions;
  readonly #tab: string;
  readonly #events = new Emitter<ChatEvents>();
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #client: ChatClient | undefined;
  #leader = "";
  #wasHere = false;

  constructor(options: TabsOptions) {
    this.#options = options;
    this.#tab = options.tab ?? toHex(newId());
    options.channel?.addEventListener("message", this.#onMessage);
    options.election.start({ lead: () => this.#lead(), follow: () => this.#follow() });
  }

  on<E extends keyof ChatEvents>(name: E, handler: (event: ChatEvents[E]) => void): Unsubscribe {
    return this.#events.on(name, handler);
  }

  close(): void {
    this.#options.election.stop();
    this.#options.channel?.removeEventListener("message", this.#onMessage);
    this.#client?.close();
    this.#client = undefined;
    this.#events.clear();
  }

  conversationWith(userId: UserId): ConversationId {
    return directConversation(this.account?.userId ?? userId, userId);
  }

  conversationOf(groupId: GroupId): ConversationId {
    return groupId;
  }

  /** Do it here, or have it done by the tab that leads. */
  call(name: Name, given: readonly unknown[]): Promise<unknown> {
    // A message that is sent twice, because its tab was gone before it answered, is one message.
    const count = name === "send" ? 2 : name === "sendFile" ? 4 : undefined;
    const values =
      count === undefined ? given : [...Array.from({ length: count }, (_, at) => given[at]), toHex(newId())];
    return new Promise((resolve, reject) => {
      const id = (this.#lastId += 1);
      this.#pending.set(id, { name, values, resolve, reject });
      this.#dispatch(id);
    });
  }

  // ---- leading ---------------------------------------------------------------------------------

  #lead(): void {
    if (this.#client !== undefined) return;
    const client = this.#options.open();
    this.#client = client;
    for (const name of EVENTS) client.on(name, (event) => this.#happened(name, event));
    // The tab that led is gone, and this one shows what was logged in there.
    if (this.#wasHere) void client.resume().catch(() => undefined);
    this.#sayState();
    this.#newLeader(this.#tab);
  }

  #happened<E extends keyof ChatEvents>(name: E, event: ChatEvents[E]): void {
    this.#hear(name, event);
    this.#say({ is: "event", name, event: pack(event) });
  }

  #sayState(): void {
    const { account, connection } = this.#client ?? this;
    this.#say({ is: "state", leader: this.#tab, account, connection: pack(connection) });
  }

  async #answer(tab: string, id: number, name: Name, values: readonly unknown[]): Promise<void> {
    if (!NAMES.includes(name)) return;
    const client = this.#client;
    try {
      const value = pack(await this.#perform(name, values));
      this.#say({ is: "answer", tab, id, value });
    } catch (error) {
      if (this.#isLeft(client, name)) return;
      this.#say({ is: "answer", tab, id, error: pack(asChatError(error)) });
    }
  }

  /** It failed because this client was closed when another tab took the lead: that one is asked. */
  #isLeft(client: ChatClient | undefined, name: Name): boolean {
    return client !== this.#client && isRepeatable(name);
  }

  async #perform(name: Name, values: readonly unknown[]): Promise<unknown> {
    const client = this.#client;
    if (client === undefined) throw new ChatError(ErrorCode.CONNECTION_LOST);
    // For this tab it is the start, for the client it is not.
    if (name === "resume" && client.account !== null) return client.account;
    // The lists above say that it is one of the client's methods.
    const method = client[name] as (...values: readonly unknown[]) => unknown;
    return method.apply(client, [...values]);
  }

  // ---- following -------------------------------------------------------------------------------

  #follow(): void {
    this.#client?.close();
    this.#client = undefined;
    this.#leader = "";
    this.#say({ is: "hello" });
  }

  #dispatch(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    const { name, values } = pending;
    const client = this.#client;
    if (client !== undefined) {
      this.#perform(name, values).then(
        (value) => this.#settle(id, value, undefined),
        (error: unknown) => {
          if (!this.#isLeft(client, name)) this.#settle(id, undefined, asChatError(error));
        },
      );
    } else if (this.#leader !== "") {
      this.#say({ is: "call", tab: this.#tab, id, name, values: pack(values) });
    }
  }

  #settle(id: number, value: unknown, error: ChatError | undefined): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(value);
    else pending?.reject(error);
  }

  /** Another tab leads now: what the last one left open is asked again, or has failed. */
  #newLeader(leader: string): void {
    const isFirst = this.#leader === "";
    this.#leader = leader;
    for (const [id, { name }] of [...this.#pending]) {
      if (isFirst || isRepeatable(name)) this.#dispatch(id);
      else this.#settle(id, undefined, new ChatError(ErrorCode.CONNECTION_LOST));
    }
  }

  // ---- the channel -----------------------------------------------------------------------------

  readonly #onMessage = (message: MessageEvent<unknown>): void => {
    const said = message.data as Said;
    switch (said.is) {
      case "hello":
        if (this.#client !== undefined) this.#sayState();
        break;
      case "call":
        if (this.#client === undefined) break;
        void this.#answer(said.tab, said.id, said.name, unpack(said.values) as unknown[]);
        break;
      case "answer":
        if (said.tab !== this.#tab) break;
        this.#settle(said.id, unpack(said.value), unpack(said.error) as ChatError | undefined);
        break;
      case "event":
        if (this.#client === undefined) {
          this.#hear(said.name, unpack(said.event) as ChatEvents[typeof said.name]);
        }
        break;
      case "state":
        this.#learn(said);
        break;
    }
  };

  #learn({ leader, account, connection }: Extract<Said, { is: "state" }>): void {
    if (this.#client !== undefined) return;
    this.#hear("connection", unpack(connection) as Connection);
    if (account?.userId !== this.account?.userId) this.#hear("account", account);
    if (leader !== this.#leader) this.#newLeader(leader);
  }

  #hear<E extends keyof ChatEvents>(name: E, event: ChatEvents[E]): void {
    if (name === "account") {
      this.account = event as Account | null;
      this.#wasHere = this.account !== null;
    }
    if (name === "connection") this.connection = event as Connection;
    this.#events.emit(name, event);
  }

  #say(said: Said): void {
    this.#options.channel?.postMessage(said);
  }
}

function isRepeatable(name: Name): boolean {
  return !(ONCE as readonly Name[]).includes(name);
}

/** The client of one tab. */
export function openTabs(options: TabsOptions): ChatClient {
  const tabs = new Tabs(options);
  const asked = Object.fromEntries(
    NAMES.map((name) => [name, (...values: readonly unknown[]) => tabs.call(name, values)]),
  );
  const told = Object.fromEntries(
    TOLD.map((name) => [
      name,
      (...values: readonly unknown[]) => void tabs.call(name, values).catch(() => undefined),
    ]),
  );
  // What NAMES holds is checked above; what the methods take and give is the real client's.
  return Object.assign(tabs, { ...asked, ...told } as unknown as Asked);
}
