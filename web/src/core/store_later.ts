/** A store that is opened when it is first needed: what it is made with is fetched only then. */

import type { Batch, OutgoingRow, Saved, Store, Stretch } from "./store";
import type { LogEntry } from "./wire/entry";

/** Until something is written, reading from a store that has never been there opens nothing. */
export class LaterStore implements Store {
  readonly #open: () => Promise<Store>;
  readonly #wasThere: Promise<boolean>;
  #store: Promise<Store> | undefined;

  /** @param wasThere whether a former visit has left anything. */
  constructor(open: () => Promise<Store>, wasThere: Promise<boolean>) {
    this.#open = open;
    this.#wasThere = wasThere;
  }

  async load(): Promise<Saved> {
    return (await this.#found())?.load() ?? { conversations: [], outgoing: [] };
  }

  async save(batch: Batch): Promise<void> {
    await (await this.#opened()).save(batch);
  }

  async entries(stretch: Stretch): Promise<LogEntry[]> {
    return (await this.#found())?.entries(stretch) ?? [];
  }

  async entry(conversationId: string, seq: number): Promise<LogEntry | undefined> {
    return (await this.#found())?.entry(conversationId, seq);
  }

  async forget(conversationId: string, options: { readonly row: boolean }): Promise<void> {
    await (await this.#found())?.forget(conversationId, options);
  }

  async putOutgoing(row: OutgoingRow): Promise<void> {
    await (await this.#opened()).putOutgoing(row);
  }

  async dropOutgoing(clientMessageId: string): Promise<void> {
    await (await this.#found())?.dropOutgoing(clientMessageId);
  }

  async keep(name: string, value: unknown): Promise<void> {
    await (await this.#opened()).keep(name, value);
  }

  async kept(name: string): Promise<unknown> {
    return (await this.#found())?.kept(name);
  }

  async destroy(): Promise<void> {
    await (await this.#found())?.destroy();
  }

  close(): void {
    // One that cannot be opened has told whoever used it.
    this.#store?.then((store) => store.close()).catch(() => undefined);
  }

  #opened(): Promise<Store> {
    return (this.#store ??= this.#open());
  }

  async #found(): Promise<Store | undefined> {
    if (this.#store === undefined && !(await this.#wasThere)) return this.#store;
    return this.#opened();
  }
}
