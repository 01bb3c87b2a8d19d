/** Telling the server how far this device has got: cursors, coalesced. */

export interface Mark {
  readonly conversationId: string;
  readonly deliveredSeq: number;
  readonly readSeq: number;
}

/** A mark waits this long for a later one of the same conversation, which says all that it does. */
const DELAY_MS = 200;

/** Told in one request. */
const MAX_MARKS = 1_000;

/** Marks are one-way: what was told on a connection that broke may be lost. The overview on the next
 * one shows what the server has, and with that it is {@link learn}ed and moved again. */
export class Marks {
  readonly #due = new Map<string, Mark>();
  /** What the server has been told, or says itself. */
  readonly #known = new Map<string, Mark>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param tell puts marks on the connection; false when there is none. */
  constructor(private readonly tell: (marks: readonly Mark[]) => boolean) {}

  /** Move a conversation's cursors on; 0 leaves one as it is. */
  move(mark: Mark): void {
    if (isIn(mark, this.#known.get(mark.conversationId))) return;
    merge(this.#due, mark);
    this.#timer ??= setTimeout(() => this.flush(), DELAY_MS);
  }

  /** The server's own word: what it has need not be told. */
  learn(mark: Mark): void {
    this.#known.set(mark.conversationId, mark);
    const due = this.#due.get(mark.conversationId);
    if (due !== undefined && isIn(due, mark)) this.#due.delete(mark.conversationId);
  }

  /** Tell everything now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#due.size > 0) {
      const marks = [...this.#due.values()].slice(0, MAX_MARKS);
      if (!this.tell(marks)) return;
      for (const mark of marks) {
        this.#due.delete(mark.conversationId);
        merge(this.#known, mark);
      }
    }
  }

  /** Tell nothing any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due.clear();
  }
}

function isIn(mark: Mark, known: Mark | undefined): boolean {
  if (known === undefined) return false;
  return mark.deliveredSeq <= known.deliveredSeq && mark.readSeq <= known.readSeq;
}

function merge(marks: Map<string, Mark>, mark: Mark): void {
  const known = marks.get(mark.conversationId);
  marks.set(mark.conversationId, {
    conversationId: mark.conversationId,
    deliveredSeq: Math.max(mark.deliveredSeq, known?.deliveredSeq ?? 0),
    readSeq: Math.max(mark.readSeq, known?.readSeq ?? 0),
  });
}
