/** Arrow keys walk through the messages of the history, which are no tab stops of their own. */

import { nextTick, type Ref } from "vue";

import type { Row } from "./rows";

export function useWalk(
  rows: () => readonly Row[],
  scroller: Ref<HTMLElement | null>,
  scrollTo: (index: number) => void,
): { readonly walk: (step: 1 | -1) => Promise<void> } {
  let focused = "";

  /** From outside one comes to the newest. Lines that nobody wrote are passed over. */
  async function walk(step: 1 | -1): Promise<void> {
    const now = rows().findIndex((row) => row.key === focused);
    let next = now < 0 ? rows().length - 1 : now + step;
    while (rows()[next]?.isLine) next += step;
    const row = rows()[next];
    if (row === undefined) return;
    focused = row.key;
    scrollTo(next);
    await nextTick();
    const message = scroller.value?.querySelector<HTMLElement>(`[data-index="${next}"] .message`);
    message?.focus({ preventScroll: true });
  }

  return { walk };
}
