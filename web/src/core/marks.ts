/** Telling the server how far this device has got: cursors, coalesced. */

export interface Mark {
  readonly conversationId: string;
  readonly deliveredSeq: number;
  readonly readSeq: number;
}

/** A mark waits this long for a later one of the same conversation, which says all that it does. */
const DELAY_MS = 200;

/** Marks are one-way: what was told on a connection that broke is told once more on the next. */
export class Marks {
  #due = new Map<string, Mark>();
  #told = new Map<string, Mark>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param tell puts a mark on the connection; false when there is none. */
  constructor(private readonly tell: (mark: Mark) => boolean) {}

  /** Move a conversation's cursors on; 0 leaves one as it is. */
  move(mark: Mark): void {
    merge(this.#due, mark);
    this.#timer ??= setTimeout(() => this.flush(), DELAY_MS);
  }

  /** Tell everything now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const mark of this.#due.values()) {
      if (!this.tell(mark)) return;
      this.#due.delete(mark.conversationId);
      merge(this.#told, mark);
    }
  }

  /** There is a new connection: tell again what the old one may have lost. */
  startOver(): void {
    const told = this.#told;
    this.#told = new Map();
    for (const mark of told.values()) merge(this.#due, mark);
    this.flush();
  }

  /** Tell nothing any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due.clear();
  }
}

function merge(marks: Map<string, Mark>, mark: Mark): void {
  const known = marks.get(mark.conversationId);
  marks.set(mark.conversationId, {
    conversationId: mark.conversationId,
    deliveredSeq: Math.max(mark.deliveredSeq, known?.deliveredSeq ?? 0),
    readSeq: Math.max(mark.readSeq, known?.readSeq ?? 0),
  });
}
