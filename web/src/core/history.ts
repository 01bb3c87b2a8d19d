/** Reading a conversation from any point: out of the store where it is there, else from the server,
 * into the store. */

import type { Log } from "./log";
import type { HistoryPage, HistoryPlace } from "./model/conversations";
import type { Entry } from "./model/entries";
import type { Call } from "./receiver";
import { spanAt, type Span } from "./spans";
import { isShown, toLogEntry, type LogEntry } from "./wire/entry";
import { Request } from "./wire/packets";

export interface HistoryOptions {
  readonly log: Log;
  readonly call: Call;
  readonly isOnline: () => boolean;
  /** Entries beyond the position, which others have not got yet. */
  readonly onNewer: (entry: LogEntry) => void;
  /** An entry as screens see it. */
  readonly show: (entry: LogEntry) => Entry;
  /** What waits to be sent. */
  readonly pending: (conversationId: string) => readonly Entry[];
}

const DEFAULT_LIMIT = 50;

/** A contiguous piece; `hasOlder`, `hasNewer`: there is more on that side. */
interface Piece {
  readonly entries: readonly LogEntry[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}

/** One per log-in; any number of conversations may be read at once. */
export class History {
  readonly #options: HistoryOptions;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** @throws ChatError when it is neither here nor to be had. */
  async read(id: string, place: HistoryPlace, limit = DEFAULT_LIMIT): Promise<HistoryPage> {
    const piece = await this.#shownPiece(id, place, Math.max(2, limit));
    const entries = piece.entries.filter(isShown).map(this.#options.show);
    const pending = piece.hasNewer ? [] : this.#options.pending(id);
    return {
      entries: [...entries, ...pending],
      hasOlder: piece.hasOlder,
      hasNewer: piece.hasNewer,
    };
  }

  /** One entry, from the store or the server. @throws ChatError. */
  async entry(id: string, seq: number): Promise<Entry | undefined> {
    const known = await this.#options.log.entry(id, seq);
    if (known !== undefined) return this.#options.show(known);
    const { entries } = await this.#older(id, seq + 1, 1);
    const found = entries.find((one) => one.seq === seq);
    return found && this.#options.show(found);
  }

  /** How many messages there are up to *seq*; undefined: none that may be seen. @throws ChatError. */
  async ordinal(id: string, seq: number): Promise<number | undefined> {
    const { entries } = await this.#older(id, seq + 1, 1);
    return entries.at(-1)?.ordinal;
  }

  /** Reads on where nothing of what it read is shown: who asks goes on from the last line. */
  async #shownPiece(id: string, place: HistoryPlace, limit: number): Promise<Piece> {
    let piece = await this.#piece(id, place, limit);
    while (!piece.entries.some(isShown)) {
      const [first, last] = [piece.entries[0], piece.entries.at(-1)];
      if (place.at === "after" && piece.hasNewer && last !== undefined) {
        piece = await this.#newer(id, last.seq, limit);
      } else if (place.at !== "after" && piece.hasOlder && first !== undefined) {
        const { hasNewer } = piece;
        piece = { ...(await this.#older(id, first.seq, limit)), hasNewer };
      } else break;
    }
    return piece;
  }

  async #piece(id: string, place: HistoryPlace, limit: number): Promise<Piece> {
    switch (place.at) {
      case "before":
        return this.#older(id, place.seq, limit);
      case "after":
        return this.#newer(id, place.seq, limit);
      case "end": {
        const end = this.#position(id);
        const older = await this.#older(id, end + 1, limit);
        return this.#joined(older, await this.#tail(id, end));
      }
      case "around": {
        const half = Math.ceil(limit / 2);
        const older = await this.#older(id, place.seq, half);
        return this.#joined(older, await this.#newer(id, place.seq - 1, half));
      }
    }
  }

  #joined(older: Piece, newer: Piece): Piece {
    return {
      entries: [...older.entries, ...newer.entries],
      hasOlder: older.hasOlder,
      hasNewer: newer.hasNewer,
    };
  }

  // ---- older -----------------------------------------------------------------------------------

  async #older(id: string, before: number, limit: number): Promise<Piece> {
    const since = this.#options.log.row(id)?.sinceSeq ?? 1;
    const hasNewer = before <= this.#position(id);
    if (before <= since) return { entries: [], hasOlder: false, hasNewer };
    const span = this.#span(id, before - 1);
    const from = Math.max(span?.from ?? before, since);
    const cached = span
      ? await this.#options.log.entries({ conversationId: id, from, to: before - 1, limit, end: "newest" })
      : [];
    const isWhole = cached.length >= limit || (span !== undefined && span.from <= since);
    if (isWhole) return { entries: cached, hasOlder: isBeyond(cached[0], since), hasNewer };
    if (!this.#options.isOnline() && cached.length > 0) {
      return { entries: cached, hasOlder: true, hasNewer };
    }
    return this.#fetchOlder(id, before, limit);
  }

  async #fetchOlder(id: string, before: number, limit: number): Promise<Piece> {
    const { log, call } = this.#options;
    const page = await call(Request.GET_HISTORY, {
      conversationId: id,
      beforeSeq: String(before),
      limit,
    });
    const entries = page.entries.map(toLogEntry);
    const since = log.row(id)?.sinceSeq ?? 1;
    const from = page.more ? (entries[0]?.seq ?? before) : since;
    log.put(id, entries, from, before - 1);
    return { entries, hasOlder: page.more, hasNewer: before <= this.#position(id) };
  }

  // ---- newer -----------------------------------------------------------------------------------

  async #newer(id: string, after: number, limit: number): Promise<Piece> {
    const span = this.#span(id, after + 1);
    const position = this.#position(id);
    if (after >= position) return this.#tail(id, after);
    if (span === undefined) return this.#fetchNewer(id, after, limit);
    const to = span.to;
    const entries = await this.#options.log.entries({
      conversationId: id,
      from: after + 1,
      to,
      limit,
      end: "oldest",
    });
    const last = entries.at(-1)?.seq ?? to;
    if (entries.length >= limit && last < to) return newerPiece(entries, after, true);
    if (to >= position) return this.#joined(newerPiece(entries, after, true), await this.#tail(id, to));
    if (entries.length > 0) return newerPiece(entries, after, true);
    return this.#fetchNewer(id, to, limit);
  }

  async #fetchNewer(id: string, after: number, limit: number): Promise<Piece> {
    const { log, call, onNewer } = this.#options;
    const page = await call(Request.SYNC, { conversationId: id, afterSeq: String(after), limit });
    const entries = page.entries.map(toLogEntry);
    const end = entries.reduce((seq, one) => Math.max(seq, one.seq, one.throughSeq), after);
    const position = this.#position(id);
    const known = entries.filter((one) => one.seq <= position);
    log.put(id, known, after + 1, Math.min(end, position));
    for (const entry of entries) {
      if (Math.max(entry.seq, entry.throughSeq) > position) onNewer(entry);
    }
    if (end < position) return newerPiece(known, after, true);
    return this.#joined(newerPiece(known, after, true), await this.#tail(id, position));
  }

  /** What has come after *after*, which was the position: all that events have told of. */
  async #tail(id: string, after: number): Promise<Piece> {
    for (;;) {
      const to = this.#position(id);
      const entries =
        to > after
          ? await this.#options.log.entries({
              conversationId: id,
              from: after + 1,
              to,
              limit: to - after,
              end: "oldest",
            })
          : [];
      if (to === this.#position(id)) return newerPiece(entries, after, false);
    }
  }

  // ---- inside ----------------------------------------------------------------------------------

  #position(id: string): number {
    return this.#options.log.row(id)?.position ?? 0;
  }

  #span(id: string, seq: number): Span | undefined {
    return spanAt(this.#options.log.row(id)?.spans ?? [], seq);
  }
}

function isBeyond(oldest: LogEntry | undefined, since: number): boolean {
  return oldest !== undefined && oldest.seq > since;
}

function newerPiece(entries: readonly LogEntry[], after: number, hasNewer: boolean): Piece {
  return { entries, hasOlder: after > 0, hasNewer };
}
