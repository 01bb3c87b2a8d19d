/** Collects the nodes' last hour as long as the page is open: who dies takes its own along. */

import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from "vue";

import type { AdminApi } from "./api";
import { HistoryBook } from "./history";

export interface Collected {
  readonly book: HistoryBook;
  /** Counts what was collected: the book itself is no state of the page. */
  readonly turn: Readonly<Ref<number>>;
  /** Who did not answer the last time. */
  readonly silent: Readonly<ShallowRef<readonly string[]>>;
  /** Undefined when the last time went well. */
  readonly error: Readonly<ShallowRef<unknown>>;
}

const ALL = 720;
const NEWEST = 6;
export const EVERY_MS = 5_000;

/** Until the scope ends. */
export function useCollecting(api: Pick<AdminApi, "history">): Collected {
  const book = new HistoryBook();
  const turn = ref(0);
  const silent = shallowRef<readonly string[]>([]);
  const error = shallowRef<unknown>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;

  async function collect(samples: number): Promise<void> {
    let isHere = false;
    try {
      const answer = await api.history(samples);
      book.add(answer);
      silent.value = answer.silent;
      error.value = undefined;
      turn.value++;
      isHere = true;
    } catch (caught) {
      error.value = caught;
    }
    // What was missed meanwhile is in the rings still.
    if (!isOver) timer = setTimeout(() => void collect(isHere ? NEWEST : ALL), EVERY_MS);
  }

  void collect(ALL);
  onScopeDispose(() => {
    isOver = true;
    clearTimeout(timer);
  });
  return { book, turn, silent, error };
}
