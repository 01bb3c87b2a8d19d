/** Catching up and staying up: overview, pages and pushes, through one inbox into the log. */

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import { withEntry, withSummary, type ConversationRow } from "./conversations";
import { ChatError, ErrorClass, asChatError } from "./errors";
import type { Inbox, Position } from "./inbox";
import type { Log } from "./log";
import type { HeadHint, Summary } from "./wire/_pb/tinyqq/_pb/client_pb";
import { toLogEntry, type LogEntry } from "./wire/entry";
import { Request, type RequestKind } from "./wire/packets";

/** Asks the server as the user who is logged in; throws ChatError. */
export type Call = <Q extends DescMessage, A extends DescMessage>(
  kind: RequestKind<Q, A>,
  init: MessageInitShape<Q>,
) => Promise<MessageShape<A>>;

export interface ReceiverOptions {
  readonly me: string;
  readonly inbox: Inbox;
  readonly log: Log;
  readonly call: Call;
  /** Gets every entry once, in order; `isFresh`: it was just pushed. */
  readonly onEntries: (entries: readonly LogEntry[], isFresh: boolean) => void;
  /** Entries that the user may not see have come after what was here. */
  readonly onHidden: (conversationId: string) => void;
  /** Up to here the conversation is on this device. */
  readonly onPosition: (conversationId: string, seq: number) => void;
  /** What the server has of it, when that is taken over. */
  readonly onSummary: (summary: Summary) => void;
  /** The user may no longer see it. */
  readonly onRemoved: (conversationId: string) => void;
  /** A stretch of each was left out. */
  readonly onReset: (conversationIds: readonly string[]) => void;
  /** The list of conversations is complete; what was missed in them may still come. */
  readonly onListed: () => void;
  /** All that was missed is here. */
  readonly onSynced: () => void;
}

/** A gap is asked for only after this time: the answer to one's own send may overtake the push of
 * the entry before it, which is then already on its way. */
const GAP_GRACE_MS = 50;
const RETRY_MS = 1_000;
const SYNCS_AT_ONCE = 4;
/** The longest list that a server takes in a request. */
const MAX_KNOWN = 10_000;
const PAGE_ENTRIES = 500;
/** Who missed more of a conversation reads it as history, when it is looked at. */
const MAX_MISSED = 500;

/** See the module's comment. */
export class Receiver {
  readonly #options: ReceiverOptions;
  #overviewIsDue = false;
  #isFetching = false;
  #isStopped = false;
  #gapTimer: ReturnType<typeof setTimeout> | undefined;
  /** At first the whole list is asked for: names change, and conversations go, without an entry. */
  #isWhole = true;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Something may have been missed: after log-in, and when pushes were lost. */
  catchUp(): void {
    this.#overviewIsDue = true;
    void this.#fetch();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#gapTimer);
  }

  /** A push, or the answer to one's own send. */
  take(entry: LogEntry, isFresh: boolean): void {
    const { inbox } = this.#options;
    const before = inbox.position(entry.conversationId);
    this.#hand(entry.conversationId, before, inbox.apply(entry), isFresh);
    if (inbox.isBehind) this.#fetchSoon(GAP_GRACE_MS);
  }

  /** In pull mode: there is something to fetch. */
  hint(hint: HeadHint): void {
    for (const head of hint.heads) {
      this.#options.inbox.learnHead(head.conversationId, Number(head.seq));
    }
    void this.#fetch();
  }

  // ---- fetching --------------------------------------------------------------------------------

  async #fetch(): Promise<void> {
    if (this.#isFetching || this.#isStopped) return;
    this.#isFetching = true;
    try {
      if (this.#overviewIsDue) await this.#readOverview();
      await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, () => this.#syncAll()));
      if (this.#isStopped) return;
      if (!this.#overviewIsDue) this.#options.onSynced();
      if (this.#isBehind) this.#fetchSoon(GAP_GRACE_MS);
    } catch (reason) {
      const error = asChatError(reason);
      // Others: logged out, or the password must be changed first. The next log-in starts anew.
      if (error.isForNow) this.#fetchSoon(Math.max(error.retryAfterMs, RETRY_MS));
    } finally {
      this.#isFetching = false;
    }
  }

  get #isBehind(): boolean {
    return this.#overviewIsDue || this.#options.inbox.isBehind;
  }

  #fetchSoon(ms: number): void {
    if (this.#isStopped) return;
    this.#gapTimer ??= setTimeout(() => {
      this.#gapTimer = undefined;
      if (this.#isBehind) void this.#fetch();
    }, ms);
  }

  async #readOverview(): Promise<void> {
    const { inbox, log, call, onSummary } = this.#options;
    this.#overviewIsDue = false;
    const isWhole = this.#isWhole;
    const positions = isWhole ? [] : inbox.positions().slice(0, MAX_KNOWN);
    const known = positions.map((one) => toKnown(one, log.row(one.conversationId)));
    const listed = new Set<string>();
    try {
      for (let after = "0", more = true; more; ) {
        const request = { known, afterConversationId: after, withCursors: true };
        const page = await call(Request.GET_OVERVIEW, request);
        for (const { conversationId } of page.conversations) listed.add(conversationId);
        await this.#learn(page.conversations);
        page.conversations.forEach(onSummary);
        after = page.conversations.at(-1)?.conversationId ?? "0";
        more = page.more && page.conversations.length > 0;
      }
    } catch (error) {
      this.#overviewIsDue = true;
      throw error;
    }
    this.#isWhole = false;
    const gone = [...log.rows].filter((row) => !listed.has(row.conversationId));
    if (isWhole) await this.#drop(gone.filter((row) => !this.#isWanted(row)));
    this.#settle();
    this.#options.onListed();
  }

  /** A page of the overview, in one step: nobody is told of a part of it. */
  async #learn(summaries: readonly Summary[]): Promise<void> {
    const { inbox, log, onReset } = this.#options;
    for (const summary of summaries) {
      const { conversationId } = summary;
      const missed = untilOf(summary) - (inbox.position(conversationId) ?? Infinity);
      if (missed > MAX_MISSED) await log.forget(conversationId, { row: false });
    }
    const reset = summaries.filter((summary) => this.#learnOne(summary));
    if (reset.length > 0) onReset(reset.map((summary) => summary.conversationId));
  }

  /** Whether a stretch was left out. */
  #learnOne(summary: Summary): boolean {
    const { inbox, log, me } = this.#options;
    const { conversationId } = summary;
    const untilSeq = untilOf(summary);
    const position = inbox.position(conversationId);
    log.learn(conversationId, (row) => withSummary(row, summary, me));
    if (position === undefined) {
      // Nothing of it is here: the list shows its last message, the rest is history.
      this.#hand(conversationId, untilSeq, inbox.start(conversationId, untilSeq), false);
      return true;
    }
    if (untilSeq - position > MAX_MISSED) {
      this.#hand(conversationId, untilSeq, inbox.skip(conversationId, untilSeq), false);
      return true;
    }
    inbox.learnHead(conversationId, untilSeq);
    return false;
  }

  /** Conversations that have come by pushes and were not in the overview are new. */
  #settle(): void {
    const ready = this.#options.inbox.settle();
    for (const conversationId of new Set(ready.map((entry) => entry.conversationId))) {
      const own = ready.filter((entry) => entry.conversationId === conversationId);
      this.#hand(conversationId, 0, own, true);
    }
  }

  /** Something was written here that the server has not got. */
  #isWanted({ conversationId, draft }: ConversationRow): boolean {
    return draft !== "" || this.#options.log.outgoing(conversationId).length > 0;
  }

  async #drop(rows: readonly { readonly conversationId: string }[]): Promise<void> {
    for (const { conversationId } of rows) {
      await this.#options.log.forget(conversationId, { row: true });
      this.#options.onRemoved(conversationId);
    }
  }

  /** Read pages until nothing is missing; several of these share the work. */
  async #syncAll(): Promise<void> {
    const { inbox, call } = this.#options;
    for (let wanted = inbox.nextSync(); wanted; wanted = inbox.nextSync()) {
      const { conversationId, seq } = wanted;
      try {
        const limit = PAGE_ENTRIES;
        const page = await call(Request.SYNC, { conversationId, afterSeq: String(seq), limit });
        const before = inbox.position(conversationId);
        const entries = page.entries.map(toLogEntry);
        const ready = inbox.applyPage(conversationId, entries, Number(page.headSeq));
        this.#hand(conversationId, before, ready, false);
      } catch (reason) {
        await this.#syncFailed(conversationId, asChatError(reason));
      }
    }
  }

  async #syncFailed(conversationId: string, error: ChatError): Promise<void> {
    const isInvalid = error.errorClass === ErrorClass.INVALID_REQUEST;
    const isForGood = isInvalid || isGone(error);
    this.#options.inbox.syncFailed(conversationId, { forGood: isForGood });
    if (!isForGood) throw error;
    if (isGone(error)) await this.#drop([{ conversationId }]);
  }

  /** Everything from *before* to the position is here now. */
  #hand(
    conversationId: string,
    before: number | undefined,
    ready: readonly LogEntry[],
    isFresh: boolean,
  ): void {
    const { inbox, log, me, onEntries, onHidden, onPosition } = this.#options;
    const position = inbox.position(conversationId);
    if (position === undefined) return;
    if (before !== undefined && position > before) log.put(conversationId, ready, before + 1, position);
    const change = (row: ConversationRow) => {
      const known = row.position === position ? row : { ...row, position };
      return ready.reduce((one, entry) => withEntry(one, entry, me), known);
    };
    if (ready.length > 0) log.change(conversationId, change);
    else log.learn(conversationId, change);
    if (ready.length > 0) onEntries(ready, isFresh);
    if (before !== undefined && position - before > ready.length) onHidden(conversationId);
    onPosition(conversationId, position);
  }
}

/** Whether a conversation is not there, or not for this user. */
function isGone({ errorClass }: ChatError): boolean {
  return errorClass === ErrorClass.FORBIDDEN || errorClass === ErrorClass.NOT_FOUND;
}

/** The last seq that the user may see. */
function untilOf({ headSeq, untilSeq }: Summary): number {
  return Math.min(Number(headSeq), Number(untilSeq));
}

/** What GET_OVERVIEW compares with. What is here was marked as delivered. */
function toKnown({ conversationId, seq }: Position, row: ConversationRow | undefined) {
  return {
    conversationId,
    seq: String(seq),
    deliveredSeq: String(seq),
    readSeq: String(row?.readSeq ?? 0),
    peerReadSeq: String(row?.peerReadSeq ?? 0),
    peerDeliveredSeq: String(row?.peerDeliveredSeq ?? 0),
  };
}
