/** What there is while somebody is logged in: their log, their mailbox, and the link. */

import type { ChatEvents } from "./api";
import type { ConversationRow } from "./conversations";
import type { Credentials } from "./credentials";
import type { Directory } from "./directory";
import type { Emitter } from "./emitter";
import { ChatError, ErrorCode, asChatError } from "./errors";
import type { Files } from "./files";
import type { UserId } from "./ids";
import { Link } from "./link";
import { Log } from "./log";
import { Mailbox } from "./mailbox";
import type { Connection as ConnectionState } from "./model/connection";
import type { Conversation } from "./model/conversations";
import type { Store } from "./store";

export interface VisitOptions {
  readonly me: UserId;
  readonly store: Store;
  readonly credentials: Credentials;
  readonly directory: Directory;
  readonly files: Files;
  readonly events: Emitter<ChatEvents>;
  readonly agent: string;
  readonly language: string;
  /** The server's name of a conversation; throws ChatError. */
  readonly nameOf: (conversationId: string) => Promise<string>;
  readonly onState: (state: ConnectionState) => void;
  /** All that was missed is here. */
  readonly onSynced: () => void;
}

/** Begins with {@link Visit.open}; after {@link Visit.stop} nothing of it is told or answered. */
export class Visit {
  readonly log: Log;
  readonly mailbox: Mailbox;
  readonly link: Link;
  readonly #options: VisitOptions;
  readonly #unnamed = new Set<string>();
  readonly #changed = new Set<string>();
  /** What was answered: after a while without a connection it may be out of date. */
  readonly #answered = new Set<string>();
  readonly #listed: Promise<void>;
  #isOver = false;
  #endListing: () => void = () => undefined;

  /** Read what the last visit left; {@link Link.start} begins. */
  static async open(options: VisitOptions): Promise<Visit> {
    let visit: Visit | undefined;
    const log = new Log(options.store, (row) => visit && visit.#rowChanged(row));
    await log.open();
    return (visit = new Visit(options, log));
  }

  private constructor(options: VisitOptions, log: Log) {
    const { me, credentials, directory, files, events, agent, language, onSynced } = options;
    this.#options = options;
    this.#listed = new Promise((resolve) => (this.#endListing = resolve));
    this.log = log;
    const mailbox = (this.mailbox = new Mailbox({
      me,
      log,
      call: (kind, init) => this.link.call(kind, init),
      files,
      events,
      onListed: () => this.#endListing(),
      onSynced,
    }));
    this.link = new Link({
      userId: me,
      credentials,
      directory,
      agent,
      language,
      user: {
        onUp: (connection) => {
          mailbox.onUp(connection);
          if (this.#answered.has("contacts")) events.emit("contactsChanged", null);
        },
        onDown: () => mailbox.onDown(),
        onPush: (push) => mailbox.onPush(push),
        onMissed: () => mailbox.catchUp(),
        onState: (state) => this.#linkChanged(state),
      },
    });
  }

  /** The log stays open. */
  stop(): void {
    this.#isOver = true;
    this.#endListing();
    this.#unnamed.clear();
    this.#changed.clear();
    this.mailbox.stop();
    this.link.stop();
  }

  /** What was here last time, if anything was; else when the server's list is here. */
  async conversations(): Promise<readonly Conversation[]> {
    if (this.log.rows.next().done) await this.#listed;
    return this.mailbox.conversations();
  }

  /**
   * What *ask* answers; while there is no connection what it answered last, under *name*.
   *
   * @throws ChatError what *ask* throws; NOT_LOGGED_IN: the visit is over, and whoever asked may be
   *   somebody else by now.
   */
  async kept<Result>(name: string, ask: () => Promise<Result>): Promise<Result> {
    if (this.link.connection === undefined) {
      const last = await this.log.kept(name);
      this.#checkNotOver();
      if (last !== undefined) {
        this.#answered.add(name);
        // Kept below under this name, so it is of this type.
        return last as Result;
      }
    }
    // Whoever comes in looks at the conversations first.
    await this.#listed;
    this.#checkNotOver();
    const result = await ask();
    this.#checkNotOver();
    this.#answered.add(name);
    this.log.keepLearnt(name, result);
    return result;
  }

  #checkNotOver(): void {
    if (this.#isOver) throw new ChatError(ErrorCode.NOT_LOGGED_IN);
  }

  #linkChanged(state: ConnectionState): void {
    if (state.state === "kicked" || state.state === "ended") this.#endListing();
    this.#options.onState(state);
  }

  // ---- conversations that change ---------------------------------------------------------------

  #rowChanged(row: ConversationRow): void {
    if (this.#isOver) return;
    // Many change at once, when one comes back: they are told together.
    if (this.#changed.size === 0) setTimeout(() => this.#tellChanged(), 0);
    this.#changed.add(row.conversationId);
    if (row.name === "" && !this.#unnamed.has(row.conversationId)) void this.#name(row);
  }

  #tellChanged(): void {
    const rows = [...this.#changed].flatMap((id) => this.log.row(id) ?? []);
    this.#changed.clear();
    if (rows.length === 0) return;
    const conversations = rows.map((row) => this.mailbox.conversation(row));
    this.#options.events.emit("conversations", conversations);
  }

  /** A conversation that came by a push has no name yet. */
  async #name({ conversationId }: ConversationRow): Promise<void> {
    this.#unnamed.add(conversationId);
    try {
      const name = await this.#options.nameOf(conversationId);
      this.log.learn(conversationId, (row) => (row.name === "" ? { ...row, name } : row));
    } catch (error) {
      asChatError(error); // it is shown by its number
    }
  }
}
